//! What a gateway knows of meters and neighbours, without a clock, a network or a file.

pub mod counting;
pub mod energy;
pub mod input;
pub mod register;
