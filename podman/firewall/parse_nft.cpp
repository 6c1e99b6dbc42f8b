// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/parse_nft.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "podman/core/text.h"
#include "podman/firewall/nft_statement.h"
#include "podman/firewall/nft_text.h"

namespace podshark::firewall {
namespace {

template <typename T>
using Words = std::pair<const char*, T>;

template <typename T, std::size_t N>
T look_up(const Words<T> (&words)[N], const std::string& name, T otherwise) {
  for (const auto& [word, value] : words) {
    if (name == word) return value;
  }
  return otherwise;
}

constexpr Words<Family> kFamilies[] = {{"ip", Family::ip},     {"ip6", Family::ip6},
                                       {"inet", Family::inet}, {"bridge", Family::bridge},
                                       {"arp", Family::arp},   {"netdev", Family::netdev}};
constexpr Words<Hook> kHooks[] = {{"prerouting", Hook::prerouting},
                                  {"input", Hook::input},
                                  {"forward", Hook::forward},
                                  {"output", Hook::output},
                                  {"postrouting", Hook::postrouting},
                                  {"ingress", Hook::ingress},
                                  {"egress", Hook::egress}};
constexpr Words<ChainType> kTypes[] = {
    {"filter", ChainType::filter}, {"nat", ChainType::nat}, {"route", ChainType::route}};
constexpr Words<Policy> kPolicies[] = {{"accept", Policy::accept}, {"drop", Policy::drop}};

class Reader {
 public:
  explicit Reader(const Limits& limits) : limits_(limits), sets_(out_, limits.elements) {}

  Ruleset read(const json& listing) {
    for (const json& object : listing) {
      const Tagged t = tagged(object);
      if (t.name == "table") read_table(*t.value);
    }
    for (const json& object : listing) {
      const Tagged t = tagged(object);
      if (t.name == "chain") add_chain(*t.value);
      if (t.name == "set" || t.name == "map") sets_.add(*t.value);
    }
    for (const json& object : listing) {
      const Tagged t = tagged(object);
      if (t.name == "rule") add_rule(*t.value);
    }
    return std::move(out_);
  }

 private:
  void read_table(const json& v);
  void read_flag(const json& table, const std::string& flag);
  void add_chain(const json& v);
  void add_rule(const json& v);
  static std::string table_key(const json& v, const char* name) {
    return text(v, "family") + '\n' + text(v, name);
  }
  static std::string key(const json& v, const char* name) {
    return table_key(v, "table") + '\n' + text(v, name);
  }

  const Limits& limits_;
  Ruleset out_;
  NamedSets sets_;
  std::unordered_map<std::string, std::size_t> at_;  // key → index of chain
  std::unordered_set<std::string> dormant_;          // keys of tables
  std::size_t rules_ = 0;
};

void Reader::read_table(const json& v) {
  const json& flags = member(v, "flags");
  if (flags.is_string()) read_flag(v, text(flags));  // a single one
  if (!flags.is_array()) return;
  for (const json& flag : flags) read_flag(v, text(flag));
}

// nft 1.0.6 writes whatever is in memory there.
void Reader::read_flag(const json& table, const std::string& flag) {
  if (flag == "dormant") {
    dormant_.insert(table_key(table, "name"));
  } else if (flag != "owner" && flag != "persist") {
    out_.note("flags of table " + text(table, "family") + " " + text(table, "name") +
              " could not be read: its rules are taken as active, though it may be dormant");
  }
}

void Reader::add_chain(const json& v) {
  if (out_.chains.size() >= limits_.chains) {
    if (out_.chains.size() == at_.size()) out_.note("more chains than we read; the rest was left out");
    at_.try_emplace("", 0);  // the note is made once
    return;
  }
  Chain c;
  c.family = look_up(kFamilies, text(v, "family"), Family::any);
  c.table = text(v, "table");
  c.name = text(v, "name");
  c.hook = look_up(kHooks, text(v, "hook"), Hook::none);
  if (dormant_.contains(table_key(v, "table"))) c.hook = Hook::none;  // the kernel calls none of them
  c.type = look_up(kTypes, text(v, "type"), ChainType::none);
  c.policy = look_up(kPolicies, text(v, "policy"), Policy::none);
  if (const auto* prio = member(v, "prio").get_ptr<const std::int64_t*>()) c.priority = *prio;
  const json& device = member(v, "dev");
  if (device.is_string()) c.devices.push_back(text(device));
  if (device.is_array()) {
    for (const json& d : device) {
      if (c.devices.size() < limits_.chains) c.devices.push_back(text(d));
    }
  }
  if (at_.try_emplace(key(v, "name"), out_.chains.size()).second) out_.chains.push_back(std::move(c));
}

void Reader::add_rule(const json& v) {
  const auto found = at_.find(key(v, "chain"));
  if (found == at_.end() || found->second >= out_.chains.size()) return;
  if (rules_ >= limits_.rules) {
    if (rules_++ == limits_.rules) out_.note("more rules than we read; the rest was left out");
    return;
  }
  ++rules_;
  Chain& chain = out_.chains[found->second];
  Rule rule;
  rule.number = chain.rules.size() + 1;
  rule.handle = number(member(v, "handle"), UINT64_MAX).value_or(0);
  rule.comment = text(v, "comment");
  rule.text = rule_text(member(v, "expr"), rule.comment);
  parse_statements(member(v, "expr"), NftPlace{text(v, "family"), text(v, "table"), sets_}, rule);
  chain.rules.push_back(std::move(rule));
}

}  // namespace

Result<Ruleset> parse_nft_json(std::string_view text, const Limits& limits) {
  const auto bad = [](const std::string& why) {
    return Error{ErrorKind::internal, "rules of nft: " + why,
                 "does `nft -j list ruleset` work in a terminal?"};
  };
  if (text.size() > limits.bytes)
    return bad("answer is larger than " + std::to_string(limits.bytes) + " bytes");
  const json document = json::parse(text, nullptr, /* allow_exceptions= */ false);
  if (document.is_discarded()) return bad("answer is not JSON: '" + one_line(trim(text), 60) + "'");
  const json& listing = member(document, "nftables");
  if (!listing.is_array()) return bad("answer has no list 'nftables'");
  Reader reader(limits);
  return reader.read(listing);
}

}  // namespace podshark::firewall
