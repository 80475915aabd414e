"""Instructions for memory that numba has no words for: atomic addition, and asking for a cache line ahead of its use.

For the CPU. A GPU has atomics of its own, and other threads to work while one waits for memory.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

READ, WRITE = 0, 1


def _element(context, builder, signature, arguments):
    """Pointer to ``array[i, j, k]``, the first four arguments."""
    view = cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0])
    index = [
        context.cast(builder, argument, kind, types.intp)
        for argument, kind in zip(arguments[1:4], signature.args[1:4], strict=True)
    ]
    return cgutils.get_item_pointer(context, builder, signature.args[0], view, index, wraparound=False)


@intrinsic
def atomic_add(typing_context, array, i, j, k, value):
    """``array[i, j, k] += value`` as one atomic instruction (relaxed order), so that threads share a grid."""

    def generate(context, builder, signature, arguments):
        builder.atomic_rmw("add", _element(context, builder, signature, arguments), arguments[4], "monotonic")

    return types.void(array, i, j, k, array.dtype), generate


@intrinsic
def prefetch_to_read(typing_context, array, i, j, k):
    """Ask for the cache line of ``array[i, j, k]``."""
    return types.void(array, i, j, k), _prefetch(READ)


@intrinsic
def prefetch_to_write(typing_context, array, i, j, k):
    """Ask for the cache line of ``array[i, j, k]``, to be written."""
    return types.void(array, i, j, k), _prefetch(WRITE)


def _prefetch(purpose):
    def generate(context, builder, signature, arguments):
        pointer = _element(context, builder, signature, arguments)
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        keep, data = word(3), word(1)
        builder.call(function, [builder.bitcast(pointer, cgutils.voidptr_t), word(purpose), keep, data])

    return generate
