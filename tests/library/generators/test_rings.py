from mapopt.library.generators.rings import Ring


def brute_room(ring, start):
    idle = [True] * ring.period
    for offset, ticks in ring.taken:
        for at in range(offset, offset + ticks):
            idle[at % ring.period] = False
    return next((k for k in range(ring.period) if not idle[(start + k) % ring.period]), ring.period)


def taken():
    ring = Ring(10)
    ring.take(18, 4)  # 8, 9, 0, 1
    ring.take(5, 1)
    return ring


def test_room_agrees_with_a_table_of_ticks():
    ring = taken()
    assert [ring.room(start) for start in range(25)] == [brute_room(ring, start) for start in range(25)]
    assert Ring(7).room(3) == 7


def test_earliest_is_the_first_start_with_so_much_room():
    ring = taken()
    for start in range(12):
        for ticks in range(1, 5):
            waits = [wait for wait in range(10) if brute_room(ring, start + wait) >= ticks]
            assert ring.earliest(start, ticks) == (start + waits[0] if waits else None)


def test_idle_lists_every_gap():
    assert taken().idle() == [(2, 3), (6, 2)]
    assert Ring(4).idle() == [(0, 4)]
    full = Ring(4)
    full.take(3, 4)
    assert full.idle() == []
    wrapping = Ring(10)
    wrapping.take(2, 5)
    assert wrapping.idle() == [(7, 5)]
