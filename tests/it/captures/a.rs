//! Captures of group A: profiles, proxies, Winsock, services, addresses, names, probes.
