// A literal C++ port of mapopt/emulator/kernel.py: same arrays, same heaps, same order of operations.
#include <cstdint>

using i64 = int64_t;
using i32 = int32_t;
using u8 = uint8_t;

namespace {

constexpr i64 NEVER = INT64_MAX;
constexpr i64 LAST_INSTANT = i64(1) << 62;
enum { DRAINED, RELEASED, BUDGET_SPENT, SLOTS_FULL, TARGET_LEFT, TIME_OVER };
enum { END_AND_FREE, END, FREE, ARRIVAL };
enum { RESOURCE, DURATION, HOLD, FIRST_ARC, LAST_ARC, TASK_COLUMNS = 8 };
enum { TARGET, DELAY, TARGET_RESOURCE, ARC_COLUMNS };
enum {
  NOW, NEXT_FRAME, OLDEST, IN_FLIGHT, LEFT, EVENTS, DIRTY, FIRINGS, NEXT_RELEASE, REMAINDER, HAS_RELEASED,
  INSTANT_FIRST
};

inline void push_event(i64 *times, i64 *events, i64 size, i64 time, i64 event) {
  i64 hole = size;
  while (hole > 0) {
    i64 parent = (hole - 1) >> 1;
    if (times[parent] <= time) break;
    times[hole] = times[parent];
    events[hole] = events[parent];
    hole = parent;
  }
  times[hole] = time;
  events[hole] = event;
}

inline i64 pop_event(i64 *times, i64 *events, i64 size) {
  i64 first = events[0], last = size - 1, time = times[last], event = events[last], hole = 0, child = 1;
  while (child + 1 < last) {
    child += times[child + 1] < times[child];
    times[hole] = times[child];
    events[hole] = events[child];
    hole = child;
    child = 2 * hole + 1;
  }
  if (child < last) {
    times[hole] = times[child];
    events[hole] = events[child];
    hole = child;
  }
  push_event(times, events, hole, time, event);
  return first;
}

inline void push_ready(i64 *ready, i64 base, i64 size, i64 key) {
  i64 hole = size;
  while (hole > 0) {
    i64 parent = (hole - 1) >> 1;
    if (ready[base + parent] <= key) break;
    ready[base + hole] = ready[base + parent];
    hole = parent;
  }
  ready[base + hole] = key;
}

inline i64 pop_ready(i64 *ready, i64 base, i64 size) {
  i64 first = ready[base], last = size - 1, key = ready[base + last], hole = 0, child = 1;
  while (child + 1 < last) {
    child += ready[base + child + 1] < ready[base + child];
    ready[base + hole] = ready[base + child];
    hole = child;
    child = 2 * hole + 1;
  }
  if (child < last) {
    ready[base + hole] = ready[base + child];
    hole = child;
  }
  push_ready(ready, base, hole, key);
  return first;
}

}  // namespace

struct Tables {
  const i64 *task, *arc;
  const i32 *predecessors;
  const i64 *offset, *source, *source_offset;
  i64 bits, patterns;
};

struct Arrival {
  i64 window, whole, part, divisor, frames;
};

struct State {
  i64 *scalar, *event_time, *event, *ready, *ready_base, *ready_count, *running, *free_at, *dirty;
  u8 *is_dirty;
  i32 *waiting;
  i64 *remaining, *released, *origin, *latency, *left_at, *log;
  i64 slots, pitch, history, n_log;
};

extern "C" i64 advance(const Tables *tables, const Arrival *arrival, const State *state, i64 stop_at_release,
                       i64 target, i64 budget) {
  const auto [task, arc, predecessors, offset, source, source_offset, bits, n_patterns] = *tables;
  const auto [window, whole, part, divisor, frames] = *arrival;
  const auto [scalar, event_time, event, ready, ready_base, ready_count, running, free_at, dirty, is_dirty, waiting,
              remaining, released, origin, latency, left_at, log, slots, pitch, n_history, n_log] = *state;
  const i64 ring = slots - 1, history = n_history - 1, local_mask = (i64(1) << bits) - 1;

  i64 now = scalar[NOW], next_frame = scalar[NEXT_FRAME], oldest = scalar[OLDEST], in_flight = scalar[IN_FLIGHT],
      left = scalar[LEFT], n_events = scalar[EVENTS], n_dirty = scalar[DIRTY], firings = scalar[FIRINGS],
      next_release = scalar[NEXT_RELEASE], remainder = scalar[REMAINDER], has_released = scalar[HAS_RELEASED],
      instant_first = scalar[INSTANT_FIRST], reason = DRAINED;

  auto mark = [&, is_dirty = is_dirty, dirty = dirty](i64 at) {
    if (is_dirty[at] == 0) {
      is_dirty[at] = 1;
      dirty[n_dirty] = at;
      n_dirty += 1;
    }
  };
  auto make_ready = [&, ready = ready, ready_base = ready_base, ready_count = ready_count,
                     running = running](i64 at, i64 key) {
    push_ready(ready, ready_base[at], ready_count[at], key);
    ready_count[at] += 1;
    if (running[at] < 0) mark(at);
  };

  for (;;) {
    if (firings >= budget) {
      reason = BUDGET_SPENT;
      break;
    }
    bool interrupted = n_dirty > 0;
    if (!interrupted && (window == 0 || in_flight >= window || next_frame >= frames)) {
      i64 instant = n_events > 0 ? event_time[0] : NEVER;
      if (window == 0 && next_frame < frames && next_release < instant) instant = next_release;
      if (instant > now) {
        if (has_released && stop_at_release) {
          has_released = 0;
          reason = RELEASED;
          break;
        }
        if (oldest >= target) {
          reason = TARGET_LEFT;
          break;
        }
        if (instant == NEVER) break;
        if (instant > LAST_INSTANT) {
          reason = TIME_OVER;
          break;
        }
        has_released = 0;
        instant_first = next_frame;
        now = instant;
      }
    }

    // Completions, arrivals, and resources that become free.
    while (n_events > 0 && event_time[0] == now) {
      i64 what = pop_event(event_time, event, n_events);
      n_events -= 1;
      i64 kind = what & 3, key = what >> 2;
      if (kind == FREE) {
        running[key] = -1;
        mark(key);
        continue;
      }
      i64 slot = (key >> bits) & ring, local = key & local_mask;
      const i64 *row = task + (origin[slot] + local) * TASK_COLUMNS;
      i32 *waits = waiting + slot * pitch;
      if (kind == ARRIVAL) {
        if (--waits[local] == 0) make_ready(row[RESOURCE], key);
        continue;
      }
      if (kind == END_AND_FREE) {
        running[row[RESOURCE]] = -1;
        mark(row[RESOURCE]);
      }
      i64 stem = key - local;
      for (i64 number = row[FIRST_ARC]; number < row[LAST_ARC]; ++number) {
        const i64 *each = arc + number * ARC_COLUMNS;
        i64 after = each[TARGET], delay = each[DELAY];
        if (delay > 0) {
          push_event(event_time, event, n_events, now + delay, (stem + after) << 2 | ARRIVAL);
          n_events += 1;
          continue;
        }
        if (--waits[after] == 0) make_ready(each[TARGET_RESOURCE], stem + after);
      }
      remaining[slot] -= 1;
      if (remaining[slot] == 0) {
        i64 frame = key >> bits;
        latency[frame & history] = now - released[slot];
        left_at[frame & history] = now;
        in_flight -= 1;
        left += 1;
        while (oldest < next_frame && remaining[oldest & ring] == 0) oldest += 1;
      }
    }

    // Releases.
    while (next_frame < frames && (window > 0 ? in_flight < window : next_release <= now)) {
      if (next_frame - oldest > ring) {
        reason = SLOTS_FULL;
        break;
      }
      i64 slot = next_frame & ring, kind = next_frame % n_patterns, first = offset[kind],
          size = offset[kind + 1] - first;
      origin[slot] = first;
      remaining[slot] = size;
      released[slot] = now;
      for (i64 local = 0; local < size; ++local) waiting[slot * pitch + local] = predecessors[first + local];
      i64 stem = next_frame << bits;
      for (i64 number = source_offset[kind]; number < source_offset[kind + 1]; ++number)
        make_ready(task[(first + source[number]) * TASK_COLUMNS + RESOURCE], stem + source[number]);
      next_frame += 1;
      in_flight += 1;
      has_released = 1;
      if (window == 0) {
        next_release += whole;
        remainder += part;
        if (remainder >= divisor) {
          remainder -= divisor;
          next_release += 1;
        }
      }
    }
    if (reason == SLOTS_FULL) break;

    // Dispatch.
    for (i64 number = 0; number < n_dirty; ++number) {
      i64 at = dirty[number];
      is_dirty[at] = 0;
      if (running[at] >= 0 || ready_count[at] == 0) continue;
      i64 key = pop_ready(ready, ready_base[at], ready_count[at]);
      ready_count[at] -= 1;
      i64 slot = (key >> bits) & ring, local = key & local_mask;
      const i64 *row = task + (origin[slot] + local) * TASK_COLUMNS;
      i64 end = now + row[DURATION], hold = row[HOLD];
      waiting[slot * pitch + local] = -1;
      running[at] = key;
      free_at[at] = end + hold;
      if (hold == 0) {
        push_event(event_time, event, n_events, end, key << 2 | END_AND_FREE);
        n_events += 1;
      } else {
        push_event(event_time, event, n_events, end, key << 2 | END);
        push_event(event_time, event, n_events + 1, end + hold, at << 2 | FREE);
        n_events += 2;
      }
      if (firings < n_log) {
        log[2 * firings] = key;
        log[2 * firings + 1] = now;
      }
      firings += 1;
    }
    n_dirty = 0;
  }

  scalar[NOW] = now;
  scalar[NEXT_FRAME] = next_frame;
  scalar[OLDEST] = oldest;
  scalar[IN_FLIGHT] = in_flight;
  scalar[LEFT] = left;
  scalar[EVENTS] = n_events;
  scalar[DIRTY] = n_dirty;
  scalar[FIRINGS] = firings;
  scalar[NEXT_RELEASE] = next_release;
  scalar[REMAINDER] = remainder;
  scalar[HAS_RELEASED] = has_released;
  scalar[INSTANT_FIRST] = instant_first;
  return reason;
}
