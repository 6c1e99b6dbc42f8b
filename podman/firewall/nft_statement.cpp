// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/nft_statement.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "podman/firewall/nft_text.h"

namespace podshark::firewall {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFF;

// {"accept": null}, {"jump": {"target": …}}; nothing for what is no verdict.
std::optional<Statement> verdict(const std::string& name, const json& v) {
  if (name == "accept") return plain(Action::accept);
  if (name == "drop") return plain(Action::drop);
  if (name == "continue") return plain(Action::nothing);
  if (name == "return") return plain(Action::ret);
  if (name == "jump") return plain(Action::jump, text(v, "target"));
  if (name == "goto") return plain(Action::go_to, text(v, "target"));
  if (name == "queue") return plain(Action::queue);
  if (name == "notrack") return plain(Action::notrack);
  if (name != "reject") return std::nullopt;
  const std::string type = text(v, "type");
  const std::string kind = text(v, "expr");
  return plain(Action::reject, type.empty() || kind.empty() ? type + kind : type + " " + kind);
}

std::optional<AddressRange> address_range(const json& j) {
  const auto value = parse_value(j, Field::daddr, false);
  const auto* range = value ? std::get_if<AddressRange>(&*value) : nullptr;
  if (range == nullptr) return std::nullopt;
  return *range;
}

std::optional<NumberRange> port_range(const json& j) {
  const auto value = parse_value(j, Field::dport, false);
  const auto* range = value ? std::get_if<NumberRange>(&*value) : nullptr;
  if (range == nullptr || range->last > 65535) return std::nullopt;
  return *range;
}

// An address, a port, or both as a concatenation.
std::optional<NatTarget> map_target(const json& j) {
  NatTarget out;
  const json& both = member(j, "concat");
  if (both.is_array() && both.size() == 2) {
    out.address = address_range(both[0]);
    out.ports = port_range(both[1]);
    if (out.address && out.ports) return out;
    return std::nullopt;
  }
  out.address = address_range(j);
  if (!out.address) out.ports = port_range(j);
  if (!out.address && !out.ports) return std::nullopt;
  return out;
}

// Key and rows of {"key": …, "data": …}; `row` makes a statement of a datum.
template <typename Row>
bool read_map(const json& map, const NftPlace& place, Statement& out, Row row) {
  const auto key = parse_key(member(map, "key"));
  if (!key || key->mask != kAll || key->fields[0] == Field::ct_dnat) return false;
  const auto rows = place.sets.resolve(member(map, "data"), *key, place.family, place.table);
  if (!rows || rows->data.empty() || !place.sets.spend(rows->data.size())) return false;
  out.key.fields = key->fields;
  out.key.values = rows->keys;
  out.key.text = expression_text(member(map, "key"));
  for (const json* datum : rows->data) {
    auto statement = row(*datum);
    if (!statement) return false;
    out.results.push_back(std::move(*statement));
  }
  return out.results.size() == out.key.rows();
}

// The map that a NAT statement takes its target from, or null.
const json& nat_map(const json& v) {
  const json& of_address = member(member(v, "addr"), "map");
  return of_address.is_null() ? member(member(v, "port"), "map") : of_address;
}

Statement nat(Action action, const json& v, const NftPlace& place) {
  Statement out = plain(action);
  const json& address = member(v, "addr");
  const json& port = member(v, "port");
  const json& map = nat_map(v);
  if (map.is_object()) {
    const auto row = [action](const json& datum) -> std::optional<Statement> {
      const auto target = map_target(datum);
      if (!target) return std::nullopt;
      Statement s = plain(action);
      s.nat = *target;
      return s;
    };
    // Netmap ("prefix to") keeps the host part: we can not tell the address.
    const bool netmap = member(v, "type_flags") == "prefix";
    if (netmap || !read_map(map, place, out, row)) out = plain(Action::unknown, to_string(action));
    return out;
  }
  if (!address.is_null()) out.nat.address = address_range(address);
  if (!port.is_null()) out.nat.ports = port_range(port);
  const bool lost = (!address.is_null() && !out.nat.address) || (!port.is_null() && !out.nat.ports);
  if (lost) return plain(Action::unknown, to_string(action));
  return out;
}

// The mark's new value as (mark & keep) ^ flip, from the outermost operation inwards; nothing when it takes
// more.
std::optional<MarkChange> mark_change(const json& value, const char* own, int depth = 0) {
  if (const auto n = number(value, UINT32_MAX)) return MarkChange{0, static_cast<std::uint32_t>(*n), 0};
  const Tagged t = tagged(value);
  if (t.name == own && text(*t.value, "key") == "mark") return MarkChange{kAll, 0, 0};
  if ((t.name != "&" && t.name != "|" && t.name != "^") || depth > 4) return std::nullopt;
  if (!t.value->is_array() || t.value->size() != 2) return std::nullopt;
  const auto inner = mark_change((*t.value)[0], own, depth + 1);
  const auto operand = number((*t.value)[1], UINT32_MAX);
  if (!inner || !operand) return std::nullopt;
  const auto n = static_cast<std::uint32_t>(*operand);
  if (t.name == "&") return MarkChange{inner->keep & n, inner->flip & n, 0};
  if (t.name == "^") return MarkChange{inner->keep, inner->flip ^ n, 0};
  return MarkChange{inner->keep & ~n, (inner->flip & ~n) | n, 0};
}

Statement mangle(const json& v) {
  const Tagged key = tagged(member(v, "key"));
  const bool mark = (key.name == "meta" || key.name == "ct") && text(*key.value, "key") == "mark";
  if (!mark) return plain(Action::nothing);
  const bool ct = key.name == "ct";
  Statement out = plain(ct ? Action::set_ct_mark : Action::set_mark);
  const auto change = mark_change(member(v, "value"), ct ? "ct" : "meta");
  out.mark = change ? *change : MarkChange{0, 0, kAll};
  return out;
}

Statement verdict_map(const json& v, const NftPlace& place) {
  Statement out = plain(Action::verdict_map);
  const auto row = [](const json& datum) {
    const Tagged t = tagged(datum);
    return verdict(t.name, *t.value);
  };
  return read_map(v, place, out, row) ? out : plain(Action::unknown, "vmap");
}

// Statements that stop the rule when their condition does not hold, so they are matches.
bool is_condition(const std::string& name, const json& v) {
  static constexpr std::array<std::string_view, 6> kConditions{"limit",     "quota", "ct count",
                                                               "connlimit", "meter", "osf"};
  if (std::find(kConditions.begin(), kConditions.end(), name) != kConditions.end()) return true;
  if (name == "xt") return text(v, "type") != "target" && text(v, "type") != "watcher";
  return name == "set" && !member(v, "stmt").is_null();  // "add @s { ip saddr limit rate … }"
}

Statement statement(const std::string& name, const json& v, const NftPlace& place) {
  if (auto found = verdict(name, v)) return *found;
  if (name == "vmap") return verdict_map(v, place);
  if (name == "dnat") return nat(Action::dnat, v, place);
  if (name == "snat") return nat(Action::snat, v, place);
  if (name == "masquerade") return nat(Action::masquerade, v, place);
  if (name == "redirect") return nat(Action::redirect, v, place);
  if (name == "mangle") return mangle(v);
  static constexpr std::array<std::string_view, 12> kHarmless{
      "log",        "counter",        "set",     "map",  "flow", "dup", "ct helper",
      "ct timeout", "ct expectation", "secmark", "last", "reset"};
  const bool harmless = std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end();
  return plain(harmless ? Action::nothing : Action::unknown, harmless ? std::string() : name);
}

void add_statement(const json& j, const NftPlace& place, Rule& rule) {
  Tagged t = tagged(j);
  if (t.name.empty()) t.name = text(j);
  if (t.name == "match") return parse_match(*t.value, place, rule.matches);
  if (t.name == "vmap" || t.name == "dnat" || t.name == "snat" || t.name == "redirect") {
    // What the key of a map implies holds for its statement.
    const json& key = member(t.name == "vmap" ? *t.value : nat_map(*t.value), "key");
    if (const auto known = parse_key(key)) {
      rule.matches.insert(rule.matches.end(), known->implied.begin(), known->implied.end());
    }
  }
  if (is_condition(t.name, *t.value)) {
    rule.matches.push_back(unknown_match(statement_text(j)));
    return;
  }
  if (t.name == "counter" && t.value->is_object()) {
    rule.counters = Counters{number(member(*t.value, "packets"), UINT64_MAX).value_or(0),
                             number(member(*t.value, "bytes"), UINT64_MAX).value_or(0)};
  }
  Statement s = statement(t.name, *t.value, place);
  if (s.action == Action::nothing) return;
  s.after = rule.matches.size();
  rule.statements.push_back(std::move(s));
}

}  // namespace

void parse_statements(const json& expressions, const NftPlace& place, Rule& rule) {
  if (!expressions.is_array()) return;
  for (const json& j : expressions) {
    if (rule.matches.size() >= kMaxMatches || rule.statements.size() >= kMaxMatches) {
      Statement rest = plain(Action::unknown, "too long");
      rest.after = rule.matches.size();
      rule.statements.push_back(std::move(rest));
      return;
    }
    add_statement(j, place, rule);
  }
}

}  // namespace podshark::firewall
