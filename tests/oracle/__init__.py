"""The slow twins: what results must equal, written from the definitions; they share no code with the package."""
