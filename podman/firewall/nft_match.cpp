// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/nft_match.h"

#include <algorithm>
#include <string_view>

#include "podman/firewall/nft_text.h"

namespace podshark::firewall {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFF;

Key plain(Field field) {
  Key out;
  out.fields.push_back(field);
  return out;
}

Key of_family(Field field, std::uint32_t family) {
  Key out = plain(field);
  out.implied.push_back(equals(Field::family, family));
  return out;
}

Key of_protocol(Field field, const std::string& protocol) {
  Key out = plain(field);
  if (const auto number = protocol_number(protocol)) out.implied.push_back(equals(Field::protocol, *number));
  return out;
}

std::optional<Key> ip_key(const std::string& field, bool v6) {
  const std::uint32_t family = v6 ? 6 : 4;
  if (field == "saddr") return of_family(Field::saddr, family);
  if (field == "daddr") return of_family(Field::daddr, family);
  // Extension headers aside, the next header of IPv6 is the protocol.
  if (field == (v6 ? "nexthdr" : "protocol")) return of_family(Field::protocol, family);
  if (field == "version") return plain(Field::family);
  return std::nullopt;
}

std::optional<Key> transport_key(const std::string& protocol, const std::string& field) {
  const bool port = field == "sport" || field == "dport";
  if (port) return of_protocol(field == "sport" ? Field::sport : Field::dport, protocol);
  if (protocol != "tcp" || field != "flags") return std::nullopt;
  Key out = of_protocol(Field::tcp_flags, protocol);
  out.mask = 0xFF;
  return out;
}

std::optional<Key> icmp_key(const std::string& protocol, const std::string& field) {
  if (field != "type" && field != "code") return std::nullopt;
  Key out = of_protocol(field == "type" ? Field::icmp_type : Field::icmp_code, protocol);
  out.v6 = protocol == "icmpv6";
  return out;
}

std::optional<Key> payload_key(const json& v) {
  const std::string protocol = text(v, "protocol");
  const std::string field = text(v, "field");
  if (protocol == "ip" || protocol == "ip6") return ip_key(field, protocol == "ip6");
  if (protocol == "icmp" || protocol == "icmpv6") return icmp_key(protocol, field);
  if (protocol == "ether" && field == "type") return plain(Field::family);
  for (const char* known : {"tcp", "udp", "sctp", "dccp", "udplite", "th"}) {
    if (protocol == known) return transport_key(protocol, field);
  }
  return std::nullopt;
}

std::optional<Key> meta_key(const std::string& key) {
  if (key == "iifname" || key == "iif") return plain(Field::iif);
  if (key == "oifname" || key == "oif") return plain(Field::oif);
  if (key == "l4proto") return plain(Field::protocol);
  if (key == "nfproto" || key == "protocol") return plain(Field::family);
  if (key == "mark") return plain(Field::mark);
  return std::nullopt;
}

std::optional<Key> ct_key(const json& v) {
  const std::string key = text(v, "key");
  if (!member(v, "dir").is_null()) return std::nullopt;
  if (key == "state") return plain(Field::ct_state);
  if (key == "mark") return plain(Field::ct_mark);
  if (key == "status") return plain(Field::ct_dnat);
  if (key == "direction") return plain(Field::ct_direction);
  return std::nullopt;
}

// With more flags ("fib daddr . iif type") the kernel asks for the type on one link only.
std::optional<Key> fib_key(const json& v) {
  const json& flags = member(v, "flags");
  const std::string flag = flags.is_array() && flags.size() == 1 ? text(flags[0]) : text(flags);
  if (text(v, "result") != "type" || (flag != "saddr" && flag != "daddr")) return std::nullopt;
  return plain(flag == "saddr" ? Field::saddr_type : Field::daddr_type);
}

std::optional<Key> masked_key(const json& v) {
  if (!v.is_array() || v.size() != 2) return std::nullopt;
  const Tagged inner = tagged(v[0]);
  if (inner.name != "meta" && inner.name != "ct" && inner.name != "payload") return std::nullopt;
  auto key = parse_key(v[0]);
  if (!key || key->fields.size() != 1) return std::nullopt;
  const Field field = key->fields[0];
  if (field == Field::ct_dnat && v[1] == "dnat") return key;
  std::optional<std::uint32_t> mask;
  if (field == Field::tcp_flags) {
    mask = parse_tcp_flags(v[1]);
  } else if (field == Field::mark || field == Field::ct_mark) {
    if (const auto n = number(v[1], UINT32_MAX)) mask = static_cast<std::uint32_t>(*n);
  }
  if (!mask) return std::nullopt;
  key->mask = *mask;
  return key;
}

std::optional<Key> concat_key(const json& v) {
  if (!v.is_array() || v.empty() || v.size() > kMaxFields) return std::nullopt;
  Key out;
  for (const json& part : v) {
    if (tagged(part).name == "concat" || tagged(part).name == "&") return std::nullopt;
    const auto key = parse_key(part);
    if (!key || key->fields.size() != 1 || key->fields[0] == Field::ct_dnat) return std::nullopt;
    out.fields.push_back(key->fields[0]);
    out.implied.insert(out.implied.end(), key->implied.begin(), key->implied.end());
    out.v6 = out.v6 || key->v6;
  }
  return out;
}

// "ct status dnat" and its other spellings; other bits of the status are unknown to us.
std::optional<Match> status_match(const Key& key, const json& left, const std::string& op,
                                  const json& right) {
  const bool masked = tagged(left).name == "&";
  const bool dnat = right == "dnat";
  const bool zero = right == 0;
  Match out = equals(key.fields[0], 1);
  if ((op == "in" && dnat) || (masked && ((op == "==" && dnat) || (op == "!=" && zero)))) return out;
  out.negated = true;
  if ((op == "!" && dnat) || (masked && ((op == "!=" && dnat) || (op == "==" && zero)))) return out;
  return std::nullopt;
}

// "tcp flags syn": at least one of the bits; nothing for the comparisons, which are like any other's.
std::optional<Match> flags_match(const std::string& op, const json& right) {
  if (op != "in" && op != "!") return std::nullopt;
  const auto bits = parse_tcp_flags(right);
  if (!bits) return std::nullopt;
  Match out = equals(Field::tcp_flags, 0);
  out.mask = *bits;
  out.negated = op == "in";
  return out;
}

// "tcp dport >= 1024" as a range.
std::optional<Values> ordered(const Key& key, const std::string& op, const json& right) {
  if (key.fields.size() != 1 || key.mask != kAll) return std::nullopt;
  const auto value = parse_value(right, key.fields[0], key.v6);
  const auto* limit = value ? std::get_if<NumberRange>(&*value) : nullptr;
  if (limit == nullptr || limit->first != limit->last) return std::nullopt;
  const std::uint32_t n = limit->first;
  if (op == "<=") return Values{NumberRange{0, n}};
  if (op == ">=") return Values{NumberRange{n, kAll}};
  if (op == "<") return n == 0 ? Values{} : Values{NumberRange{0, n - 1}};
  if (op == ">") return n == kAll ? Values{} : Values{NumberRange{n + 1, kAll}};
  return std::nullopt;
}

std::shared_ptr<const Values> right_values(const Key& key, const std::string& op, const json& right,
                                           const NftPlace& place) {
  if (auto range = ordered(key, op, right)) return std::make_shared<const Values>(std::move(*range));
  if (op != "==" && op != "in" && op != "!=" && op != "!") return nullptr;
  const bool set = text(right).starts_with("@") || member(right, "set").is_array();
  if (set) {
    auto rows = place.sets.resolve(right, key, place.family, place.table);
    return rows ? rows->keys : nullptr;
  }
  if (key.fields.size() != 1) return nullptr;
  Values out;
  const auto add = [&](const json& j) {
    auto value = parse_value(j, key.fields[0], key.v6);
    if (value) out.push_back(std::move(*value));
    return value.has_value();
  };
  // A bare list means any of these bits; of our fields only the state of conntrack has it, where one bit is
  // set.
  const bool any_of = right.is_array() && key.fields[0] == Field::ct_state && right.size() <= 16;
  const bool good = any_of ? std::all_of(right.begin(), right.end(), add) : add(right);
  return good ? std::make_shared<const Values>(std::move(out)) : nullptr;
}

std::optional<Match> known_match(const json& m, const Key& key, const NftPlace& place) {
  const std::string op = text(m, "op");
  const json& right = member(m, "right");
  if (key.fields[0] == Field::ct_dnat) return status_match(key, member(m, "left"), op, right);
  if (key.fields[0] == Field::tcp_flags && key.fields.size() == 1) {
    if (auto flags = flags_match(op, right)) return flags;
  }
  Match out;
  out.fields = key.fields;
  out.mask = key.mask;
  out.negated = op == "!=" || op == "!";
  out.values = right_values(key, op, right, place);
  if (out.values == nullptr) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Key> parse_key(const json& expression) {
  const Tagged t = tagged(expression);
  if (t.name == "payload") return payload_key(*t.value);
  if (t.name == "meta") return meta_key(text(*t.value, "key"));
  if (t.name == "ct") return ct_key(*t.value);
  if (t.name == "fib") return fib_key(*t.value);
  if (t.name == "&") return masked_key(*t.value);
  if (t.name == "concat") return concat_key(*t.value);
  return std::nullopt;
}

void parse_match(const json& match, const NftPlace& place, std::vector<Match>& out) {
  std::string line = match_text(match);
  const auto key = parse_key(member(match, "left"));
  auto found = key ? known_match(match, *key, place) : std::nullopt;
  if (key) out.insert(out.end(), key->implied.begin(), key->implied.end());
  if (!found) found = unknown_match({});
  found->text = std::move(line);
  out.push_back(std::move(*found));
}

}  // namespace podshark::firewall
