"""Load as Locust users know it: its options, users, shape, workers, statistics and web UI.

Nothing is imported here: whoever imports locust has gevent take over its process.
"""
