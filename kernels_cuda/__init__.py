"""How particles move and score: one physics source for the CPU and for NVIDIA GPUs.

Every function of the transport is a small scalar function in float32, written once under
:func:`kernels_cuda.device.device`; :mod:`kernels_cuda.cpu` drives it on the processor and
:func:`kernels_cuda.device.retarget` rebuilds the same call tree for a GPU compiler.
Units inside: cm, MeV, g/cm3; arrays are [z, y, x].
"""
