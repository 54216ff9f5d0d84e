#!/usr/bin/env python3
"""A scheme that protects nothing: bytes are plaintext (docs/schemes.md)."""

from lines import Layer, serve


class Empty(Layer):
    has_end = False

    def __init__(self, is_client, own, shared, server, random):
        super().__init__(is_client, own, shared, server, random)
        self.state = "open"

    def receive(self, data):
        return data

    def send(self, plaintext):
        self.output += plaintext


serve("empty", Empty)
