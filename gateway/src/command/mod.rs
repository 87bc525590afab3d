//! What the program does when it is called.

pub mod init;
