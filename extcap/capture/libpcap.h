// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <string>

namespace podshark::extcap {

/// The functions of libpcap that we call. Types come from pcap.h, so that a changed signature still fails to
/// compile.
struct Libpcap {
  decltype(&::pcap_open_dead) open_dead = nullptr;
  decltype(&::pcap_compile) compile = nullptr;
  decltype(&::pcap_geterr) geterr = nullptr;
  decltype(&::pcap_freecode) freecode = nullptr;
  decltype(&::pcap_close) close = nullptr;
  decltype(&::pcap_offline_filter) offline_filter = nullptr;
  decltype(&::pcap_fopen_offline_with_tstamp_precision) fopen_offline = nullptr;
  decltype(&::pcap_next_ex) next_ex = nullptr;
  std::string error;  ///< why there is no libpcap; empty: all of the above are set
};

/// Loads libpcap on the first call: it pulls in D-Bus, systemd and three compressors, about 3 ms that listing
/// interfaces must not pay.
[[nodiscard]] const Libpcap& libpcap();

}  // namespace podshark::extcap
