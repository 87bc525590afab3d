//! What a gateway knows of meters, neighbours and the contract they sell by.

pub mod allocation;
pub mod book;
pub mod chain;
pub mod clock;
pub mod command;
pub mod config;
pub mod counting;
pub mod energy;
pub mod folder;
pub mod gateway;
pub mod health;
pub mod input;
pub mod journal;
pub mod key;
pub mod log;
pub mod meter;
pub mod plan;
pub mod register;
pub mod report;
pub mod run;
pub mod schedule;
pub mod service;
pub mod source;
pub mod submission;
