//! Real faults against the real program: kill -9, a full disk, a database that goes away, a wrong key, a second node.

#[cfg(feature = "bucket")]
mod bucket;
mod bus;
mod database_down;
mod full_disk;
mod hasher;
mod keys;
mod kill_nine;
mod second_node;
mod second_server;
