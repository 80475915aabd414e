"""Speed, memory and start-up of mcdose, measured so that the figures of different machines can be compared.

Run from the repository: ``python -m benchmarks cpu``, ``python -m benchmarks memory``, ``python -m benchmarks start``.
"""
