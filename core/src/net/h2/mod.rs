//! An HTTP/2 client engine (RFC 9113), plaintext side: frames in, frames out.
