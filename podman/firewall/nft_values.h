// SPDX-License-Identifier: GPL-2.0-or-later
// nft's constants, sets and maps as Values. Private to podman/firewall.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "podman/firewall/match.h"
#include "podman/firewall/nft_json.h"
#include "podman/firewall/ruleset.h"

namespace podshark::firewall {

/// What the fields of a key mean for their constants.
struct Key {
  std::vector<Field> fields;
  std::uint32_t mask = 0xFFFFFFFF;
  std::vector<Match> implied;  ///< what nft checks before it: "tcp dport" only looks at TCP
  bool v6 = false;             ///< icmp_type, icmp_code: of ICMPv6
};

/// One constant; nothing when it is not understood.
[[nodiscard]] std::optional<Value> parse_value(const json& j, Field field, bool v6);
/// The bits of "syn", ["fin", "syn"] or {"|": […]}; nothing when one of them is no TCP flag.
[[nodiscard]] std::optional<std::uint32_t> parse_tcp_flags(const json& j);

/// A table of rows, and what each row leads to when it is a map.
struct Rows {
  std::shared_ptr<const Values> keys;
  std::vector<const json*> data;  ///< as many as rows for maps, else empty; pointers into the document
};

/// The sets and maps of one document, which must outlive it. Elements are read when a rule tells their
/// meaning, each set once per meaning.
class NamedSets {
 public:
  NamedSets(Ruleset& notes, std::size_t max_elements) : notes_(notes), left_(max_elements) {}

  /// {"set": …} or {"map": …} of the listing.
  void add(const json& object);
  /// Elements of "@name" in `family` `table`, or of {"set": […]}; nothing when unknown or not understood.
  [[nodiscard]] std::optional<Rows> resolve(const json& j, const Key& key, const std::string& family,
                                            const std::string& table);

  /// False when `count` more elements are too many; they count as read otherwise.
  [[nodiscard]] bool spend(std::size_t count);

 private:
  std::optional<Rows> read(const json& elements, const Key& key);

  std::map<std::string, const json*> elements_;
  std::map<std::pair<const json*, std::vector<Field>>, std::optional<Rows>> read_;
  Ruleset& notes_;
  std::size_t left_;
};

}  // namespace podshark::firewall
