// SPDX-License-Identifier: GPL-2.0-or-later
// The words after `podshark-agent capture`. Pure; written by podshark, so whatever is unusual is refused.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>

#include "podman/wire/pcapng.h"

namespace podshark::agent {

inline constexpr std::size_t kMaxTargets = 128;
inline constexpr std::size_t kMaxLinkNames = 32;
inline constexpr std::size_t kMaxFilters = 2;
inline constexpr int kSelf = 0;  ///< as a target: the agent's own network namespace

/// A program of classic BPF for links of this link-layer type.
struct KernelFilter {
  std::uint16_t linktype;
  std::uint16_t length;  ///< instructions
  sock_filter code[BPF_MAXINSNS];
};

struct CaptureArguments {
  std::uint32_t snaplen = wire::kMaxBlock;
  std::uint32_t ring_kib = 0;       ///< kernel memory for each link; 0: as many targets allow
  std::uint32_t lease_seconds = 6;  ///< without a byte on stdin; 0: stdin is not looked at
  bool promiscuous = true;
  wire::Text links[kMaxLinkNames];  ///< none: all; they point into argv
  std::size_t link_count = 0;
  KernelFilter filters[kMaxFilters];
  std::size_t filter_count = 0;
  int targets[kMaxTargets];  ///< process ids, or kSelf
  std::size_t target_count = 0;
};

/// A word that is refused, and why.
struct Complaint {
  const char* word = nullptr;
  const char* why = nullptr;
};

/// [-s SNAPLEN] [-r RING_KIB] [-L SECONDS] [-P] [-i LINK,LINK]... [-f LINKTYPE:HEX]... TARGET...
/// HEX: struct sock_filter of each instruction, 8 bytes, little endian. Only link types whose filters the
/// kernel can run (Ethernet, raw IP): it sees cooked packets without their header.
[[nodiscard]] bool parse_capture(int count, char** words, CaptureArguments* out, Complaint* why);

/// A decimal number of `least` to `most`, nothing else.
[[nodiscard]] bool parse_number(const char* word, std::uint32_t least, std::uint32_t most,
                                std::uint32_t* out);

}  // namespace podshark::agent
