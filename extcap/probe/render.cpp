// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/render.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "extcap/json_object.h"
#include "extcap/top/text_table.h"
#include "podman/annotate/codec.h"
#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

using probe::Outcome;

double ms_of(const ProbeResult& r) {
  return static_cast<double>(r.attempt.answer_after.count()) / 1000;
}

// Without a network there is nothing to be said of times and addresses.
bool tried(const ProbeResult& r) {
  return r.attempt.not_measured.empty();
}

std::string outcome_words(Outcome outcome) {
  std::string out = probe::to_string(outcome);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

void write_icmp(JsonObject& o, const probe::IcmpError& e) {
  o.value("icmp", [&](std::string& to) {
    JsonObject icmp(to);
    icmp.text("from", e.from.text()).number("type", e.type).number("code", e.code).number("mtu", e.mtu);
  });
}

void write_dns(JsonObject& o, const probe::DnsAnswer& dns) {
  o.value("dns", [&](std::string& to) {
    JsonObject answer(to);
    answer.text("name", dns.name).raw("code", std::to_string(dns.code));
    answer.list("addresses", dns.addresses,
                [](std::string& text, const IpAddress& a) { text += json_string(a.text(), 60); });
  });
}

void write_listener(JsonObject& o, const ProbeResult& r) {
  o.value("listener", [&](std::string& to) {
    JsonObject listener(to);
    listener.flag("arrived", r.arrival.has_value());
    if (!r.arrival) return;
    listener.text("time", annotate::rfc3339(r.arrival->time_ns))
        .text("source_address", r.arrival->from.address.text());
    listener.number("source_port", r.arrival->from.port).text("translation", translation(r));
  });
}

std::string cell(const ProbeResult& r) {
  return r.ok() ? milliseconds_text(ms_of(r)) + " ms" : outcome_words(r.conclusion.outcome);
}

}  // namespace

std::string milliseconds_text(double ms) {
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), ms < 10 ? "%.1f" : "%.0f", ms);
  return out.data();
}

std::string clock_text(std::int64_t time_ns) {
  const time_t seconds = time_ns / 1'000'000'000;
  tm parts{};
  std::array<char, 16> out{};
  std::array<char, 8> fraction{};
  (void)::localtime_r(&seconds, &parts);
  (void)::strftime(out.data(), out.size(), "%H:%M:%S", &parts);
  std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(time_ns / 1'000'000 % 1000));
  return std::string(out.data()) + fraction.data();
}

std::string translation(const ProbeResult& r) {
  if (!r.arrival || r.arrival->from.address == r.attempt.local.address) return {};
  const IpAddress& seen = r.arrival->from.address;
  const bool known = !(r.attempt.local == probe::Endpoint{});  // not from other machines
  const std::string what = seen.text() + (known ? " instead of " + r.attempt.local.address.text() : "");
  for (const model::Attachment& a : r.aim.container.networks) {
    if (IpAddress::parse(a.gateway) == seen) return "masqueraded as the gateway of its network: " + what;
    for (const std::string& own : a.addresses) {
      if (IpAddress::parse(own) == seen) return "passed on by a process in its namespace: " + what;
    }
  }
  if (seen.loopback()) return "passed on by a process in its namespace: " + what;
  return known ? "translated: " + what : "";
}

std::string render_line(const ProbeResult& r) {
  std::string out = r.aim.target + " from " + r.from + ": " + outcome_words(r.conclusion.outcome);
  if (!r.conclusion.reason.empty()) out += ": " + r.conclusion.reason;
  if (!tried(r)) return one_line(out, 500);
  out += " (" + probe::to_string(r.attempt.remote);
  if (r.attempt.error != ETIMEDOUT || r.attempt.answered) out += ", " + milliseconds_text(ms_of(r)) + " ms";
  return one_line(out + ")", 500);
}

std::vector<std::string> render_text(const ProbeResult& r) {
  std::vector<std::string> out{render_line(r)};
  const auto add = [&](const std::string& line) { out.push_back("  " + one_line(line, 300)); };
  for (const std::string& e : r.conclusion.evidence) add("- " + e);
  if (r.arrival) {
    const std::string changed = translation(r);
    add("- the listener saw it come from " + probe::to_string(r.arrival->from) +
        (!changed.empty()                       ? ": " + changed
         : r.attempt.local == probe::Endpoint{} ? ""
                                                : ", its own address"));
  } else if (r.listened) {
    add("- nothing arrived at the listener");
  }
  for (const std::string& n : r.aim.notes) add("note: " + n);
  if (!r.conclusion.hint.empty()) add("try: " + r.conclusion.hint);
  return out;
}

std::string render_json(const ProbeResult& r) {
  const probe::Attempt& a = r.attempt;
  std::string out;
  {
    JsonObject o(out);
    o.number("podshark", annotate::kSchemaVersion).text("kind", "probe");
    o.text("time", annotate::rfc3339(r.time_ns))
        .text("id", r.id)
        .text("from", r.from)
        .text("target", r.aim.target);
    o.text("container", r.aim.container_name).number("container_port", r.aim.container_port);
    o.flag("published", r.aim.published).text("protocol", probe::to_string(a.protocol));
    o.text("address", r.aim.to.address.text()).number("port", r.aim.to.port);
    o.text("local_address", a.local == probe::Endpoint{} ? "" : a.local.address.text());
    o.number("local_port", a.local.port);
    o.text("outcome", probe::to_string(r.conclusion.outcome)).text("reason", r.conclusion.reason);
    o.decimal("ms", ms_of(r)).flag("connected", a.connected);
    o.texts("evidence", r.conclusion.evidence).texts("notes", r.aim.notes).text("hint", r.conclusion.hint);
    if (a.icmp) write_icmp(o, *a.icmp);
    if (a.protocol == probe::Protocol::dns) write_dns(o, a.dns);
    if (a.protocol == probe::Protocol::path_mtu) o.number("mtu", a.mtu);
    if (r.listened) write_listener(o, r);
  }
  return out;
}

std::vector<std::string> render_matrix(const std::vector<ProbeResult>& results) {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::map<std::pair<std::string, std::string>, std::string> cells;
  const auto note = [](std::vector<std::string>& list, const std::string& name) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  };
  for (const ProbeResult& r : results) {
    note(rows, r.from);
    note(columns, r.aim.target);
    cells[{r.from, r.aim.target}] = cell(r);
  }
  top::TextTable table;
  table.columns.push_back({"FROM", true, 9});
  for (const std::string& column : columns) table.columns.push_back({column, false, 9});
  for (const std::string& row : rows) {
    std::vector<std::string> line{row};
    for (const std::string& column : columns) {
      const auto it = cells.find({row, column});
      line.push_back(it == cells.end() ? "-" : it->second);
    }
    table.rows.push_back(std::move(line));
  }
  return table.lines(0);
}

std::string who_is(const IpAddress& address, const model::Container& place,
                   const model::Inventory& inventory) {
  if (address.loopback()) return "itself";
  for (const model::Attachment& a : place.networks) {
    if (IpAddress::parse(a.gateway) == address) {
      return a.network.empty() ? "the gateway" : "the gateway of network " + in_quotes(a.network);
    }
    for (const std::string& own : a.addresses) {
      if (IpAddress::parse(own) == address) return "itself: passed on by a process in its namespace";
    }
  }
  for (const model::Container& c : inventory.containers) {
    if (!c.alive() || c.rootless != place.rootless || c.owner != place.owner) continue;
    for (const model::Attachment& a : c.networks) {
      for (const std::string& own : a.addresses) {
        if (IpAddress::parse(own) == address) return "container " + in_quotes(c.name);
      }
    }
  }
  return {};
}

std::string render_arrival(const probe::Arrival& a, const std::string& who) {
  std::string out = clock_text(a.time_ns) + "  from " + probe::to_string(a.from);
  if (!who.empty()) out += " (" + who + ")";
  out += " to " + probe::to_string(a.to);
  if (!a.said.empty()) out += ", said \"" + one_line(trim(a.said), 80) + '"';
  return one_line(out, 400);
}

std::string render_arrival_json(const probe::Arrival& a, const std::string& target,
                                const std::string& protocol, const std::string& who) {
  std::string out;
  {
    JsonObject o(out);
    o.number("podshark", annotate::kSchemaVersion).text("kind", "arrival");
    o.text("time", annotate::rfc3339(a.time_ns)).text("target", target).text("protocol", protocol);
    o.text("source_address", a.from.address.text()).number("source_port", a.from.port).text("source", who);
    o.text("address", a.to.address.text()).number("port", a.to.port).text("said", a.said);
  }
  return out;
}

}  // namespace podshark::extcap::probing
