// SPDX-License-Identifier: GPL-2.0-or-later
// The stream is not read before the clock is known, so that each packet is given its right time at once;
// until then the pipe, and what writes into it, hold what comes.
#include "extcap/remote/merge_host.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include "extcap/interface_text.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostHost = 120;
constexpr std::size_t kMostListed = 100'000;  // in an inventory of many parts
constexpr int kComment = 1;
constexpr int kCustom = 2989;

wire::Text text(std::string_view t) {
  return {t.data(), t.size()};
}

// "+0.250010312"
std::string seconds(std::int64_t ns) {
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%c%" PRId64 ".%09" PRId64, ns < 0 ? '-' : '+',
                std::abs(ns / 1'000'000'000), std::abs(ns % 1'000'000'000));
  return out.data();
}

// "250.010 ms"
std::string milliseconds(std::int64_t ns) {
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%.3f ms", static_cast<double>(std::abs(ns)) / 1e6);
  return out.data();
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::string interface_name_on(const std::string& name, const std::string& host) {
  const std::size_t colon = name.find(':');
  const std::string_view maker = std::string_view(name).substr(0, colon);
  if (host.empty() || (maker != "podman" && maker != "podman-root")) return name;
  return std::string(maker) + "@" + word(host, kMostHost) + name.substr(colon);
}

std::string interface_description_on(const std::string& description, const std::string& host,
                                     const std::optional<annotate::InterfaceClock>& clock) {
  std::string out = description;
  if (!host.empty()) out += (out.empty() ? "host=" : " host=") + word(host, kMostHost);
  if (clock) out += " clock=" + seconds(clock->offset_ns);
  return out;
}

std::string own_host_name() {
  std::array<char, 256> own{};
  (void)::gethostname(own.data(), own.size() - 1);
  return one_line(own.data(), kMostHost);
}

std::string MergeHost::name() const {
  return source_.host.empty() ? own_host_name() : source_.host;
}

Status MergeHost::start() {
  PcapngFeed::Hooks blocks{
      .section = [this] { on_begun(); },
      .interface = [this](const PcapngFeed::Interface& i) { on_interface(i); },
      .packet = [this](const PcapngFeed::Packet& p) { on_packet(p); },
      .statistics = [this](const wire::InterfaceCounters& c) { on_statistics(c); },
  };
  Result<std::unique_ptr<MergeStream>> stream = MergeStream::start(
      loop_, source_.arguments, std::move(blocks),
      {.line =
           [this](const std::string& line) {
             const bool says_who = line.starts_with(name() + ": ") || line.starts_with("podshark capture: ");
             hooks_.line(says_who || !named_ ? line : name() + ": " + line);
           },
       .ended =
           [this](Result<int> code) {
             if (clock_) clock_->close();
             hooks_.ended(code ? std::move(code) : Result<int>(code.wrap(name())));
           }});
  if (!stream) return stream.error();
  stream_ = std::move(*stream);
  resume();
  if (!source_.far) {
    decide();
    return ok();
  }
  if (!source_.far->connection.empty()) {
    on_no_clock({ErrorKind::unsupported, "podman's API does not tell it", {}});
    return ok();
  }
  clock_ = std::make_unique<ClockWatch>(
      loop_, ClockWatch::Hooks{.estimated = [this](const ClockOffset& e, std::int64_t t) { on_clock(e, t); },
                               .failed = [this](const Error& error) { on_no_clock(error); }});
  if (const Status begun = clock_->begin(*source_.far); !begun) on_no_clock(begun.error());
  return ok();
}

void MergeHost::decide() {
  if (std::exchange(decided_, true)) return;
  resume();
}

void MergeHost::pause(bool paused) {
  paused_ = paused;
  resume();
}

void MergeHost::resume() {
  if (stream_) stream_->pause(paused_ || !decided_);
}

void MergeHost::stop() {
  if (clock_) clock_->close();
  decide();
  if (stream_) stream_->stop();
}

// ---- its clock ------------------------------------------------------------------------------------------

void MergeHost::tell_clock(const char* what, const std::string& detail) {
  annotate::MovedEvent out;
  out.event.kind = "lifecycle";
  out.event.what = what;
  out.event.time_ns = now_ns();
  out.event.host = host();
  out.event.detail = one_line(detail, 400);
  if (known_) {
    out.event.clock_offset_ns = known_->offset_ns;
    out.event.clock_error_ns = known_->error_ns;
  }
  out.json = annotate::encode_event(out.event);
  hooks_.event(std::move(out));
}

void MergeHost::on_clock(const ClockOffset& estimate, std::int64_t there_ns) {
  const bool first = !known_;
  const bool changes = correction_.take(estimate, there_ns);
  if (first || changes) {
    known_ = annotate::InterfaceClock{correction_.target(), estimate.bound_ns};
    const std::string within = milliseconds(estimate.bound_ns);
    const std::string detail = changes
                                   ? "the clock of " + name() + " is " + milliseconds(estimate.offset_ns) +
                                         (estimate.offset_ns > 0 ? " ahead" : " behind") + ", known to " +
                                         within + ": its times are corrected"
                                   : "the clocks of " + name() + " and here agree within " + within;
    tell_clock(first ? "clock-compared" : "clock-changed", detail);
    if (changes) hooks_.notice(detail);
  }
  decide();
}

void MergeHost::on_no_clock(const Error& error) {
  no_clock_ = error;
  if (begun_ && error.kind != ErrorKind::unreachable) tell_no_clock();
  decide();
}

void MergeHost::tell_no_clock() {
  const std::string detail =
      "the clock of " + name() +
      (known_ ? " is followed no more: " : " is not known, its times stay as they are: ") + no_clock_->what;
  no_clock_.reset();
  tell_clock("clock-unknown", detail);
  hooks_.notice(detail);
}

void MergeHost::on_begun() {
  begun_ = true;
  hooks_.begun();
  if (no_clock_) tell_no_clock();
}

std::uint64_t MergeHost::here(std::uint64_t time_ns) {
  constexpr std::uint64_t kMost = INT64_MAX;
  return static_cast<std::uint64_t>(
      correction_.corrected(static_cast<std::int64_t>(std::min(time_ns, kMost))));
}

// ---- its stream -----------------------------------------------------------------------------------------

void MergeHost::on_interface(const PcapngFeed::Interface& i) {
  if (i.linktype == wire::kLinktypeUpperPdu && i.name == annotate::kEventsInterface) {
    numbers_.push_back(-1);
    return;
  }
  const std::string name = interface_name_on(one_line(i.name, 512), host());
  const std::string about = interface_description_on(one_line(i.description, 4096), host(), known_);
  const std::string metadata = annotate::move_interface(i.metadata, host(), known_);
  wire::InterfaceInfo info{};
  info.linktype = i.linktype;
  info.snaplen = i.snaplen;
  info.name = text(name);
  info.description = text(about);
  info.filter = text(i.filter);
  info.metadata = text(metadata);
  info.enterprise = annotate::kEnterpriseNumber;
  numbers_.push_back(hooks_.interface(info));
}

void MergeHost::on_packet(const PcapngFeed::Packet& packet) {
  const std::int64_t number = numbers_[packet.interface];
  if (number < 0) return on_record(packet);
  const auto id = static_cast<std::uint32_t>(number);
  const std::uint64_t time_ns = here(packet.time_ns);
  if (packet.options.empty()) return hooks_.packet(id, time_ns, packet);
  std::string comment;
  std::string json;
  for (Options rest = packet.options; const auto option = rest.next();) {
    if (option->code == kComment) comment.assign(option->value.begin(), option->value.end());
    if (option->code != kCustom || get32(option->value.data(), false) != annotate::kEnterpriseNumber)
      continue;
    json.assign(option->value.begin() + 4, option->value.end());
  }
  const Result<annotate::MovedRecord> record = moved(json);
  const auto* drop = record ? std::get_if<annotate::MovedEvent>(&*record) : nullptr;
  if (drop == nullptr) return hooks_.packet(id, time_ns, packet);
  hooks_.dropped(
      id, {packet.data.data(), static_cast<std::uint32_t>(packet.data.size()), packet.length, time_ns, 0},
      comment, drop->json);
}

Result<annotate::MovedRecord> MergeHost::moved(std::string_view json) {
  return annotate::move_record(json, {host(), [this](std::int64_t t) {
                                        return static_cast<std::int64_t>(here(static_cast<std::uint64_t>(t)));
                                      }});
}

void MergeHost::on_record(const PcapngFeed::Packet& packet) {
  const std::string_view json =
      annotate::upper_pdu_json({reinterpret_cast<const char*>(packet.data.data()), packet.data.size()});
  Result<annotate::MovedRecord> record = moved(json);
  if (!record) return;  // of a newer podshark over there
  if (auto* part = std::get_if<annotate::InventoryPart>(&*record)) return take_inventory(std::move(*part));
  hooks_.event(std::get<annotate::MovedEvent>(std::move(*record)));
}

void MergeHost::take_inventory(annotate::InventoryPart&& part) {
  if (part.part == 1) {
    pending_ = std::move(part);
    have_ = 1;
  } else {
    const bool follows = part.part == have_ + 1 && part.parts == pending_.parts &&
                         part.inventory.time_ns == pending_.inventory.time_ns;
    if (!follows) {
      have_ = 0;
      return;
    }
    have_ = part.part;
    if (pending_.inventory.containers.size() + pending_.inventory.pods.size() +
            pending_.inventory.networks.size() + pending_.inventory.problems.size() >
        kMostListed) {
      pending_ = {};
      have_ = 0;
      return;
    }
    append(pending_.inventory.containers, std::move(part.inventory.containers));
    append(pending_.inventory.pods, std::move(part.inventory.pods));
    append(pending_.inventory.networks, std::move(part.inventory.networks));
    append(pending_.inventory.problems, std::move(part.inventory.problems));
  }
  if (have_ < pending_.parts) return;
  inventory_ = std::move(pending_.inventory);
  pending_ = {};
  have_ = 0;
  hooks_.inventory();
}

void MergeHost::on_statistics(wire::InterfaceCounters counters) {
  const std::int64_t number = numbers_[counters.interface_id];
  if (number < 0) return;
  counters.interface_id = static_cast<std::uint32_t>(number);
  counters.start_ns = here(counters.start_ns);
  counters.end_ns = here(counters.end_ns);
  hooks_.statistics(counters);
}

}  // namespace podshark::extcap::remote
