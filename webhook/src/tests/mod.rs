//! Tests of the whole server: most call the routers in process, those about TLS and connections use loopback.

mod bodies;
mod fixture;
mod health;
mod logs;
mod loopback;
mod own_kinds;
mod providers;
mod recording;
mod routes;
mod shutdown;
mod stamps;
mod verdicts;
