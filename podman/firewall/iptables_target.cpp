// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/iptables_target.h"

#include <algorithm>
#include <array>

#include "podman/core/text.h"

namespace podshark::firewall {
namespace {

constexpr std::uint32_t kAll = 0xFFFFFFFF;

const Option* find(const std::vector<Option>& options, std::string_view name) {
  const auto found =
      std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
  return found == options.end() ? nullptr : &*found;
}

// "90-92/28171": the ports and the base of their offset.
bool parse_ports(std::string_view text, NatTarget& out) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  out.ports = port_range(text.substr(0, slash), '-');
  if (!out.ports) return false;
  if (slash == text.size()) return true;
  std::uint64_t base = 0;
  if (!parse_number(text.substr(slash + 1), 65535, base)) return false;
  out.base = static_cast<std::uint16_t>(base);
  return true;
}

// "value/mask", "value".
bool value_and_mask(std::string_view text, std::uint32_t& value, std::uint32_t& mask) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto v = c_number(text.substr(0, slash));
  const auto m = slash == text.size() ? std::optional<std::uint32_t>(kAll) : c_number(text.substr(slash + 1));
  if (!v || !m) return false;
  value = *v;
  mask = *m;
  return true;
}

Statement mark(Action action, const std::vector<Option>& options) {
  Statement out = plain(action);
  out.mark.unknown = kAll;
  std::uint32_t value = 0;
  std::uint32_t mask = 0;
  if (const Option* set = find(options, "--set-xmark");
      set != nullptr && value_and_mask(set->argument(), value, mask)) {
    out.mark = MarkChange{~mask, value, 0};  // xt_mark: (mark & ~mask) ^ value
  } else if (const Option* plain_set = find(options, "--set-mark");
             plain_set != nullptr && value_and_mask(plain_set->argument(), value, mask)) {
    out.mark = MarkChange{~(mask | value), value, 0};
  }
  return out;
}

// --restore-mark copies the connection's mark into the packet's, --save-mark the other way; masks say which
// bits.
Statement connection_mark(const std::vector<Option>& options) {
  const bool restore = find(options, "--restore-mark") != nullptr;
  if (!restore && find(options, "--save-mark") == nullptr) return mark(Action::set_ct_mark, options);
  const Option* mask = find(options, restore ? "--nfmask" : "--ctmask");
  const auto bits = mask == nullptr ? std::nullopt : c_number(mask->argument());
  Statement out = plain(restore ? Action::set_mark : Action::set_ct_mark);
  out.mark = MarkChange{kAll, 0, bits.value_or(kAll)};
  return out;
}

Statement nat(Action action, const std::vector<Option>& options, const char* option) {
  Statement out = plain(action);
  const Option* to = find(options, option);
  if (to == nullptr) return out;
  const auto target = parse_nat_target(to->argument());
  if (!target) return plain(Action::unknown, to_string(action));
  out.nat = *target;
  return out;
}

Statement nat_ports(Action action, const std::vector<Option>& options) {
  Statement out = plain(action);
  const Option* to = find(options, "--to-ports");
  if (to != nullptr && !parse_ports(to->argument(), out.nat))
    return plain(Action::unknown, to_string(action));
  return out;
}

Statement reject(const std::vector<Option>& options) {
  const Option* with = find(options, "--reject-with");
  return plain(Action::reject, with == nullptr ? "icmp-port-unreachable" : std::string(with->argument()));
}

constexpr std::array<std::string_view, 22> kHarmless{
    "LOG",         "NFLOG",   "ULOG",      "TRACE",   "AUDIT",       "TCPMSS", "CLASSIFY", "DSCP",
    "TOS",         "TTL",     "HL",        "TEE",     "SET",         "LED",    "HMARK",    "CHECKSUM",
    "CONNSECMARK", "SECMARK", "IDLETIMER", "RATEEST", "TCPOPTSTRIP", "ECN"};

}  // namespace

std::optional<NatTarget> parse_nat_target(std::string_view text) {
  NatTarget out;
  std::string_view address = text;
  std::string_view ports;
  if (text.starts_with("[")) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    address = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
    if (!rest.empty()) ports = rest.substr(1);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && colon == text.rfind(':')) {
    address = text.substr(0, colon);
    ports = text.substr(colon + 1);
  }
  if (address.empty() && ports.empty()) return std::nullopt;
  if (!address.empty()) {
    out.address = AddressRange::parse(address);
    if (!out.address) return std::nullopt;
  }
  if (!ports.empty() && !parse_ports(ports, out)) return std::nullopt;
  return out;
}

Statement parse_target(const std::string& name, const std::vector<Option>& options) {
  if (name == "ACCEPT") return plain(Action::accept);
  if (name == "DROP") return plain(Action::drop);
  if (name == "RETURN") return plain(Action::ret);
  if (name == "QUEUE" || name == "NFQUEUE") return plain(Action::queue);
  if (name == "REJECT") return reject(options);
  if (name == "MARK") return mark(Action::set_mark, options);
  if (name == "CONNMARK") return connection_mark(options);
  if (name == "DNAT") return nat(Action::dnat, options, "--to-destination");
  if (name == "SNAT") return nat(Action::snat, options, "--to-source");
  if (name == "MASQUERADE") return nat_ports(Action::masquerade, options);
  if (name == "REDIRECT") return nat_ports(Action::redirect, options);
  if (name == "NOTRACK") return plain(Action::notrack);
  if (name == "CT") return plain(find(options, "--notrack") != nullptr ? Action::notrack : Action::nothing);
  const bool harmless = std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end();
  return plain(harmless ? Action::nothing : Action::unknown, harmless ? std::string() : name);
}

}  // namespace podshark::firewall
