// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/iptables_match.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

using Found = std::optional<Match>;

Found link(Field field, std::string_view name) {
  const bool prefix = !name.empty() && name.back() == '+';
  if (name.empty()) return std::nullopt;
  return one_of(field, {LinkName{std::string(name.substr(0, name.size() - (prefix ? 1 : 0))), prefix}});
}

Found address(Field field, std::string_view text) {
  const auto range = AddressRange::parse(text);
  if (!range) return std::nullopt;
  return one_of(field, {*range});
}

Found protocol(std::string_view name) {
  const auto number = protocol_number(name);
  if (!number) return std::nullopt;
  return equals(Field::protocol, *number);
}

Found ports(Field field, std::string_view text) {
  Values values;
  for (const std::string& part : split(text, ',')) {
    const auto range = port_range(part, ':');
    if (!range) return std::nullopt;
    values.emplace_back(*range);
  }
  return one_of(field, std::move(values));
}

Found marks(Field field, std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto value = c_number(text.substr(0, slash));
  const auto mask =
      slash == text.size() ? std::optional<std::uint32_t>(0xFFFFFFFF) : c_number(text.substr(slash + 1));
  if (!value || !mask) return std::nullopt;
  Match out = equals(field, *value);
  out.mask = *mask;
  return out;
}

// "RELATED,ESTABLISHED"; DNAT is a state only to iptables.
Found ct_states(std::string_view text) {
  if (text == "DNAT") return equals(Field::ct_dnat, 1);
  Values values;
  for (const std::string& part : split(text, ',')) {
    const auto state = ct_state_number(part);
    if (!state) return std::nullopt;
    values.emplace_back(NumberRange{*state, *state});
  }
  return one_of(Field::ct_state, std::move(values));
}

Found ct_direction(std::string_view text) {
  if (text != "ORIGINAL" && text != "REPLY") return std::nullopt;
  return equals(Field::ct_direction, text == "REPLY" ? 1 : 0);
}

Found address_types(Field field, std::string_view text) {
  Values values;
  for (const std::string& part : split(text, ',')) {
    const auto type = address_type_number(part);
    if (!type) return std::nullopt;
    values.emplace_back(NumberRange{*type, *type});
  }
  return one_of(field, std::move(values));
}

std::optional<std::uint32_t> flag_bits(std::string_view text) {
  if (text == "NONE") return 0;
  std::uint32_t bits = 0;
  for (const std::string& part : split(text, ',')) {
    const auto bit = part == "ALL" ? std::optional<std::uint32_t>(0x3F) : tcp_flag(part);
    if (!bit) return std::nullopt;
    bits |= *bit;
  }
  return bits;
}

Found tcp_flags(const Option& option) {
  if (option.arguments.size() != 2) return std::nullopt;
  const auto mask = flag_bits(option.arguments[0]);
  const auto value = flag_bits(option.arguments[1]);
  if (!mask || !value) return std::nullopt;
  Match out = equals(Field::tcp_flags, *value);
  out.mask = *mask;
  return out;
}

// "8", "3/4" (type and code), "any".
Found icmp(std::string_view text, bool v6) {
  if (text == "any") return one_of(Field::icmp_type, {Anything{}});
  const std::size_t slash = text.find('/');
  const auto type = icmp_type_number(text.substr(0, slash), v6);
  if (!type) return std::nullopt;
  if (slash == std::string_view::npos) return equals(Field::icmp_type, *type);
  const auto code = icmp_code_number(text.substr(slash + 1), v6);
  if (!code) return std::nullopt;
  Match out;
  out.fields = {Field::icmp_type, Field::icmp_code};
  out.values = std::make_shared<const Values>(Values{NumberRange{*type, *type}, NumberRange{*code, *code}});
  return out;
}

// Options without a module of their own.
Found basic(const Option& o) {
  if (o.name == "-s" || o.name == "--source") return address(Field::saddr, o.argument());
  if (o.name == "-d" || o.name == "--destination") return address(Field::daddr, o.argument());
  if (o.name == "-i" || o.name == "--in-interface") return link(Field::iif, o.argument());
  if (o.name == "-o" || o.name == "--out-interface") return link(Field::oif, o.argument());
  if (o.name == "-p" || o.name == "--protocol") return protocol(o.argument());
  return std::nullopt;
}

Found of_transport(const Option& o) {
  if (o.name == "--sport" || o.name == "--source-port") return ports(Field::sport, o.argument());
  if (o.name == "--dport" || o.name == "--destination-port") return ports(Field::dport, o.argument());
  if (o.name == "--tcp-flags") return tcp_flags(o);
  if (o.name == "--syn") return tcp_flags(Option{"", {"FIN,SYN,RST,ACK", "SYN"}, false});
  return std::nullopt;
}

Found of_module(const std::string& module, const Option& o, bool v6) {
  if (module == "tcp" || module == "udp" || module == "sctp" || module == "dccp" || module == "udplite") {
    return of_transport(o);
  }
  if (module == "multiport" && (o.name == "--sports" || o.name == "--source-ports"))
    return ports(Field::sport, o.argument());
  if (module == "multiport" && (o.name == "--dports" || o.name == "--destination-ports")) {
    return ports(Field::dport, o.argument());
  }
  if (module == "conntrack" && o.name == "--ctstate") return ct_states(o.argument());
  if (module == "conntrack" && o.name == "--ctdir") return ct_direction(o.argument());
  if (module == "state" && o.name == "--state") return ct_states(o.argument());
  if (module == "mark" && o.name == "--mark") return marks(Field::mark, o.argument());
  if (module == "connmark" && o.name == "--mark") return marks(Field::ct_mark, o.argument());
  if (module == "addrtype" && o.name == "--src-type") return address_types(Field::saddr_type, o.argument());
  if (module == "addrtype" && o.name == "--dst-type") return address_types(Field::daddr_type, o.argument());
  if (module == "iprange" && o.name == "--src-range") return address(Field::saddr, o.argument());
  if (module == "iprange" && o.name == "--dst-range") return address(Field::daddr, o.argument());
  if (module == "icmp" && o.name == "--icmp-type") return icmp(o.argument(), v6);
  if (module == "icmp6" && o.name == "--icmpv6-type") return icmp(o.argument(), v6);
  return std::nullopt;
}

// Modules that ask nothing by themselves, only by their options.
constexpr std::array<std::string_view, 15> kKnownModules{
    "tcp",       "udp",   "sctp", "dccp",     "udplite",  "icmp",    "icmp6",  "multiport",
    "conntrack", "state", "mark", "connmark", "addrtype", "iprange", "comment"};

}  // namespace

void MatchReader::start_module(const std::string& name) {
  module_ = name;
  const bool known = std::find(kKnownModules.begin(), kKnownModules.end(), name) != kKnownModules.end();
  open_unknown_ = !known;
  if (!known) rule_.matches.push_back(unknown_match(one_line("-m " + name, kMaxRuleText)));
}

void MatchReader::take_unknown(const Option& option) {
  if (open_unknown_) {
    std::string& text = rule_.matches.back().text;
    text = one_line(text + " " + option.text(), kMaxRuleText);
  } else {
    rule_.matches.push_back(unknown_match(one_line(option.text(), kMaxRuleText)));
  }
}

void MatchReader::take(const Option& option) {
  if ((option.name == "-m" || option.name == "--match") && !option.negated) {
    return start_module(std::string(option.argument()));
  }
  if (option.name == "--comment" && module_ == "comment") {
    rule_.comment = option.arguments.empty() ? "" : option.arguments[0].substr(0, kMaxName);
    return;
  }
  auto found = basic(option);
  if (!found) found = of_module(module_, option, v6_);
  if (!found) return take_unknown(option);
  open_unknown_ = false;
  found->negated = option.negated;
  found->text = one_line(option.text(), kMaxRuleText);
  rule_.matches.push_back(std::move(*found));
}

}  // namespace podshark::firewall
