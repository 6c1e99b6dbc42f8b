// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "extcap/top/render.h"
#include "extcap/top/text_table.h"
#include "podman/core/text.h"

namespace podshark::extcap::top {
namespace {

constexpr std::size_t kMaxName = 64;  // bytes
constexpr std::size_t kMaxNote = 300;

std::string per_second(std::uint64_t count, double seconds) {
  return short_number(seconds > 0 ? static_cast<double>(count) / seconds : 0);
}

// Things that hardly ever happen would be overlooked in a table that shows one second.
std::string rare(std::uint64_t now, std::uint64_t since_start, bool totals) {
  const std::string text = short_number(static_cast<double>(now));
  return totals ? text + "/" + short_number(static_cast<double>(since_start)) : text;
}

std::vector<std::string> sums_row(const std::string& name, const Sums& now, const Sums& all, double seconds,
                                  const std::optional<std::uint64_t>& connections, bool protocols_known,
                                  bool totals) {
  const auto known = [&](const std::string& text) { return protocols_known ? text : std::string("-"); };
  return {name,
          per_second(now.traffic.rx_bytes, seconds),
          per_second(now.traffic.tx_bytes, seconds),
          per_second(now.lo_bytes, seconds),
          per_second(now.packets(), seconds),
          rare(now.link_drops, all.link_drops, totals),
          known(rare(now.socket_drops, all.socket_drops, totals)),
          known(rare(now.retransmits, all.retransmits, totals)),
          connections ? short_number(static_cast<double>(*connections)) : "-"};
}

std::string entry_name(const Entry& e) {
  std::string out = one_line(e.name, kMaxName);
  if (e.members.size() > 1) out += " (" + std::to_string(e.members.size()) + ")";
  return e.ended ? out + " ended" : out;
}

TextTable main_table(const Report& report, bool totals) {
  TextTable t;
  t.columns = {{"CONTAINER", true, 9}, {"RX B/s", false, 9},  {"TX B/s", false, 9},
               {"LO B/s", false, 4},   {"PKT/s", false, 1},   {"LINKDROP", false, 6},
               {"SOCKDROP", false, 3}, {"RETRANS", false, 7}, {"CONN", false, 5}};
  for (const Entry& e : report.entries) {
    t.rows.push_back(
        sums_row(entry_name(e), e.now, e.since_start, e.seconds, e.connections, e.protocols_known, totals));
  }
  for (const PodRow& p : report.pods) {
    if (p.namespaces < 2) continue;  // then the pod is the one row above
    t.rows.push_back(sums_row("pod/" + one_line(p.name, kMaxName) + " (sum)", p.now, p.since_start,
                              report.seconds, p.connections, true, totals));
  }
  if (report.entries.size() > 1) {
    std::optional<std::uint64_t> connections;
    for (const Entry& e : report.entries) {
      if (e.connections) connections = connections.value_or(0) + *e.connections;
    }
    t.rows.push_back(
        sums_row("total", report.total, report.total_since_start, report.seconds, connections, true, totals));
  }
  return t;
}

std::string peer_cell(const PeerRow& p) {
  if (!p.key.ip) return "(not IP)";
  const std::string address = p.key.peer.text();
  if (p.key.loopback) return "lo " + address;
  return p.name.empty() ? address : one_line(p.name, kMaxName) + " " + address;
}

std::string service_cell(const PeerRow& p) {
  if (!p.key.ip) return "";
  const std::string protocol = protocol_name(p.key.protocol);
  if (p.key.side == Side::none) return protocol;
  const std::string port = std::to_string(p.key.port) + "/" + protocol;
  if (p.key.side == Side::remote) return "to " + port;
  return "on " + port + (p.published_port != 0 ? " (" + std::to_string(p.published_port) + ")" : "");
}

std::vector<std::string> traffic_cells(const Traffic& t, double seconds) {
  return {per_second(t.rx_bytes, seconds), per_second(t.tx_bytes, seconds), per_second(t.packets(), seconds)};
}

TextTable peer_table(const Report& report) {
  TextTable t;
  t.columns = {{"CONTAINER", true, 9}, {"PEER", true, 9},    {"SERVICE", true, 6},
               {"RX B/s", false, 9},   {"TX B/s", false, 9}, {"PKT/s", false, 1}};
  struct Row {
    double rate;
    std::vector<std::string> cells;
  };
  std::vector<Row> rows;
  const auto add = [&](const Entry& e, const std::string& peer, const std::string& service,
                       const Traffic& traffic) {
    Row row{e.seconds > 0 ? static_cast<double>(traffic.bytes()) / e.seconds : 0,
            {one_line(e.name, kMaxName), peer, service}};
    for (std::string& cell : traffic_cells(traffic, e.seconds)) row.cells.push_back(std::move(cell));
    rows.push_back(std::move(row));
  };
  for (const Entry& e : report.entries) {
    for (const PeerRow& p : e.peers) add(e, peer_cell(p), service_cell(p), p.traffic);
    if (e.others.packets() > 0) add(e, "(others)", "", e.others);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.rate > b.rate; });
  for (Row& row : rows) t.rows.push_back(std::move(row.cells));
  return t;
}

std::vector<std::string> notes(const Report& report) {
  std::vector<std::string> out;
  for (const std::string& p : report.problems) out.push_back("note: " + one_line(p, kMaxNote));
  for (const Entry& e : report.entries) {
    if (e.unseen_packets == 0) continue;
    out.push_back("note: " + std::to_string(e.unseen_packets) + " packets of " + one_line(e.name, kMaxName) +
                  " are counted above, but came too fast to be told apart by peer");
  }
  return out;
}

// Keeps `most` lines (the title among them), telling what is missing.
void shorten(std::vector<std::string>& lines, std::size_t most) {
  if (lines.size() <= most) return;
  const std::size_t missing = lines.size() - std::max<std::size_t>(most, 1) + 1;
  lines.resize(std::max<std::size_t>(most, 1) - 1);
  lines.push_back("\u2026 " + std::to_string(missing) + " more");
}

// Below this many lines there is no use in two tables.
constexpr std::size_t kTwoTables = 8;

// The upper table may have what the lower one leaves, at least half.
void fit_height(std::vector<std::string>& upper, std::vector<std::string>& lower, std::size_t height) {
  if (height < kTwoTables) lower.clear();
  const std::size_t wanted_below = lower.empty() ? 0 : lower.size() + 1;
  shorten(upper, std::max(height / 2, height - std::min(height, wanted_below)));
  if (!lower.empty()) shorten(lower, height - std::min(height, upper.size() + 1));
}

}  // namespace

std::string short_number(double value) {
  static constexpr std::array<const char*, 6> kUnits{"", "k", "M", "G", "T", "P"};
  std::array<char, 32> out{};
  if (value < 9999.5) {
    std::snprintf(out.data(), out.size(), "%.0f", value);
    return out.data();
  }
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::snprintf(out.data(), out.size(), "%.*f%s", digits, value, kUnits[unit]);
  return out.data();
}

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_ICMP:
      return "icmp";
    case IPPROTO_ICMPV6:
      return "icmp6";
    case IPPROTO_IGMP:
      return "igmp";
    case IPPROTO_GRE:
      return "gre";
    case IPPROTO_ESP:
      return "esp";
    default:
      return "proto " + std::to_string(protocol);
  }
}

std::vector<std::string> render_text(const Report& report, const TextOptions& options) {
  std::vector<std::string> out;
  if (!options.header.empty()) out.push_back(options.header);
  for (std::string& note : notes(report)) out.push_back(std::move(note));
  std::vector<std::string> upper;
  std::vector<std::string> lower;
  if (report.entries.empty()) {
    out.emplace_back("no container with a network of its own is running");
  } else {
    upper = main_table(report, options.totals).lines(options.width);
    const TextTable peers = peer_table(report);
    if (!peers.rows.empty()) lower = peers.lines(options.width);
  }
  if (options.height != 0) fit_height(upper, lower, options.height - std::min(options.height, out.size()));
  out.insert(out.end(), upper.begin(), upper.end());
  if (!lower.empty()) out.emplace_back();
  out.insert(out.end(), lower.begin(), lower.end());
  if (options.height != 0 && out.size() > options.height) out.resize(options.height);
  if (options.width != 0) {
    for (std::string& line : out) line = cut(line, options.width);
  }
  return out;
}

}  // namespace podshark::extcap::top
