"""Our own Russian support encoder: word vectors from navec, what training laid over them, and the module that sums them."""
