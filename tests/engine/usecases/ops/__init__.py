"""Tests of `engine.usecases.ops`."""
