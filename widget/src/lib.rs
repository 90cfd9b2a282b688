//! The form that visitors see.
