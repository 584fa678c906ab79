"""Testbeds: resources as data, protocols as interfaces, drivers, strategy and lease."""
