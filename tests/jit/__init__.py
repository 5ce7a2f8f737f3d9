"""One row inside the compiled code of users."""
