//! The five push services on your own machine.
