"""The cache: bounded, least recently used out first, and nothing readable in it."""

from __future__ import annotations

import pickle

import numpy as np

from clinical_nlp.neural.cache import ResultCache


def rows(value: float, size: int = 100) -> np.ndarray:
    return np.full((size, 2), value, dtype=np.float32)


def test_cache_get_returns_what_was_put_and_counts():
    cache = ResultCache(1)
    key = cache.key("Niega disnea", b"1")
    assert cache.get(key) is None
    cache.put(key, rows(1))
    assert (cache.get(key) == 1).all()
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)


def test_cache_key_separates_its_parts():
    cache = ResultCache(1)
    keys = {cache.key("a", b"bc"), cache.key("ab", b"c"), cache.key("a", b"b", b"c")}
    assert len(keys) == 3


def test_cache_evicts_the_least_recently_used():
    cache = ResultCache(10 / 1024)  # 10 KiB: nine results of 1,100 bytes
    keys = [cache.key(str(n)) for n in range(30)]
    for n, key in enumerate(keys):
        cache.put(key, rows(n))
        cache.get(keys[0])
    assert len(cache) == 9
    assert cache.get(keys[0]) is not None
    assert cache.get(keys[1]) is None
    assert cache.get(keys[29]) is not None


def test_cache_does_not_store_what_is_larger_than_itself():
    cache = ResultCache(0)
    cache.put(cache.key("a"), rows(1))
    assert len(cache) == 0


def test_cache_holds_no_text_and_keys_of_its_own():
    one, two = ResultCache(1), ResultCache(1)
    one.put(one.key("Paciente con disnea"), rows(1))
    assert b"disnea" not in pickle.dumps(one.__dict__)
    assert one.key("disnea") != two.key("disnea")


def test_cache_clear_removes_results_and_counters():
    cache = ResultCache(1)
    key = cache.key("a")
    cache.put(key, rows(1))
    cache.get(key)
    cache.clear()
    assert (len(cache), cache.hits, cache.misses) == (0, 0, 0)
    assert cache.get(key) is None
