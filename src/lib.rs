//! Tiphys.
