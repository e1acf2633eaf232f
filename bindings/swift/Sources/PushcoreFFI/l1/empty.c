// A C target needs a source; the functions are in the library.
