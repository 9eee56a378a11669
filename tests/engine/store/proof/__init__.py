"""Tests of `engine.store.proof`."""
