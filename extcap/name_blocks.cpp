// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/name_blocks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "extcap/interface_text.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

// Address text (with or without prefix length) to network-order bytes; empty when it is none.
std::string packed(const std::string& address) {
  const std::string bare = address.substr(0, address.find('/'));
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, bare.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, bare.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

constexpr std::string_view kCut = "…";  // of one_line()

bool nameable(const model::Container& c) {
  // Addresses of pasta containers are the host's own, those of slirp4netns all 10.0.2.100: naming them for
  // the whole file would be wrong. Wireshark keeps one name per address; the plugin knows better.
  // A pod of Kubernetes has one address for all its containers, and no other name for it.
  if (!c.kubernetes.name_space.empty()) return c.alive() && c.infra && c.kind != model::NetworkKind::host;
  return c.alive() && !c.infra &&
         (c.kind == model::NetworkKind::bridge || c.kind == model::NetworkKind::macvlan ||
          c.kind == model::NetworkKind::ipvlan);
}

}  // namespace

void NameBlocks::put(const model::Inventory& inventory, wire::Bytes* out) {
  std::vector<std::pair<std::string, std::string>> fresh;  // packed address, name
  for (const model::Container& c : inventory.containers) {
    if (!nameable(c)) continue;
    for (const auto& network : c.networks) {
      for (const std::string& address : network.addresses) {
        const std::string key = packed(address);
        const std::string name = word(c.name, 63);
        if (key.empty() || name.empty()) continue;
        std::string& known = named_[key];
        if (known.ends_with(kCut)) continue;  // no room for any other
        const std::vector<std::string> owners = split(known, '|');
        if (std::find(owners.begin(), owners.end(), name) != owners.end()) continue;
        // An address that several containers owned in turn keeps all their names (Wireshark knows one a
        // file).
        if (!known.empty()) known += '|';
        known = one_line(known.append(name), 63);
        fresh.emplace_back(key, known);
      }
    }
  }
  constexpr std::size_t kPerBlock = 1024;  // far below the 256 KiB limit of a block
  for (std::size_t from = 0; from < fresh.size(); from += kPerBlock) {
    std::vector<wire::NameEntry> entries;
    for (std::size_t i = from; i < fresh.size() && i < from + kPerBlock; ++i) {
      entries.push_back({reinterpret_cast<const std::uint8_t*>(fresh[i].first.data()),
                         fresh[i].first.size(),
                         {fresh[i].second.data(), fresh[i].second.size()}});
    }
    (void)wire::put_names(out, entries.data(), entries.size());
  }
}

}  // namespace podshark::extcap
