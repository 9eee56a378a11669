"""Tests of `engine.core.proof`."""
