// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/far_source.h"

#include <net/if_arp.h>

#include <algorithm>
#include <cstring>

#include "extcap/agent/exit_codes.h"
#include "extcap/capture/method.h"
#include "extcap/capture/tool_words.h"
#include "extcap/remote/far_script.h"
#include "extcap/remote/far_ways.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

constexpr std::size_t kMostErrors = std::size_t{16} * 1024;
constexpr std::size_t kHead = 4;

// "type=1 mac=02:42:… address=10.88.0.3/16,fd00::3/64", podshark-agent's.
model::Link link_of(std::string_view name, std::string_view description) {
  model::Link link;
  link.name = one_line(name, 40);
  for (const std::string& word : words(description)) {
    const std::size_t equals = word.find('=');
    const std::string key = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : one_line(word.substr(equals + 1), 400);
    std::uint64_t number = 0;
    if (key == "type" && parse_number(value, 65535, number)) link.arphrd = static_cast<unsigned>(number);
    if (key == "mac") link.mac = value;
    if (key == "address") link.addresses = split(value, ',');
  }
  return link;
}

}  // namespace

FarSource::FarSource(Target target, std::unique_ptr<StreamWays> ways, std::string why_not, MakeLine line,
                     Recorder& recorder, Hooks hooks)
    : target_(std::move(target)),
      ways_(std::move(ways)),
      why_not_(std::move(why_not)),
      line_(std::move(line)),
      recorder_(recorder),
      hooks_(std::move(hooks)),
      retry_at_(Clock::now()) {
  Target chosen = target_;
  chosen.container = target_.chosen;
  who_ = what(chosen);
}

Status FarSource::start() {
  retry_at_.reset();
  return run(step_.argv.empty() ? ways_->first() : step_);
}

Status FarSource::run(StreamWays::Step step) {
  if (step.kind == StreamWays::Step::Kind::failed) return step.error;
  step_ = std::move(step);
  errors_.clear();
  head_.clear();
  reader_.reset();
  feed_.reset();
  Channel::Hooks hooks{.output = [this](std::span<const std::uint8_t> bytes) { take(bytes); },
                       .line =
                           [this](const std::string& line) {
                             errors_ += line + "\n";
                             if (errors_.size() > 2 * kMostErrors)
                               errors_.erase(0, errors_.size() - kMostErrors);
                           }};
  Result<Channel> channel = Channel::open(line_(step_, target_), std::move(hooks));
  if (!channel) return channel.error();
  channel_ = std::make_unique<Channel>(std::move(*channel));
  if (step_.kind == StreamWays::Step::Kind::command) hooks_.report("installing", step_.words);
  return ok();
}

void FarSource::take(std::span<const std::uint8_t> bytes) {
  // What an installation prints is not wanted, nor what follows a broken stream.
  if (step_.kind != StreamWays::Step::Kind::stream || broken_ || enough_) return;
  if (!reader_ && !feed_) {
    const std::size_t part = std::min(kHead - head_.size(), bytes.size());
    head_.append(reinterpret_cast<const char*>(bytes.data()), part);
    bytes = bytes.subspan(part);
    if (head_.size() < kHead) return;
    if (head_ == "\x0A\x0D\x0D\x0A") {
      open_feed();
    } else {
      reader_ = std::make_unique<PcapReader>();
    }
    const std::string head = std::move(head_);
    take({reinterpret_cast<const std::uint8_t*>(head.data()), head.size()});
  }
  if (bytes.empty()) return;
  if (reader_) return take_pcap(bytes);
  if (const Status s = feed_->feed(bytes); !s) broken_ = s.error();
}

void FarSource::take_pcap(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && !broken_) {
    const std::span<std::uint8_t> room = reader_->room();
    const std::size_t part = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), part);
    bytes = bytes.subspan(part);
    reader_->filled(part);
    const Result<bool> begun = reader_->begun();
    if (begun && !*begun) continue;
    Status status = begun ? ok() : Status(begun.error());
    if (begun) {
      const std::string& link = ways_->spec().link;
      model::Link plain;
      plain.name = link;
      Interface& interface = declare(0, link, reader_->linktype(), reader_->snaplen(), plain);
      status = reader_->read([&](const wire::Packet& p) {
        packet(interface, p);
        return !enough_;
      });
    }
    if (!status) broken_ = status.error();
  }
}

void FarSource::open_feed() {
  channel_->expect_answers();  // figures, once a second
  feed_ = std::make_unique<PcapngFeed>(PcapngFeed::Hooks{
      .interface =
          [this](const PcapngFeed::Interface& i) {
            const std::size_t slash = i.name.find('/');  // "0/eth0": of its first target
            const std::string_view name = slash == std::string_view::npos ? i.name : i.name.substr(slash + 1);
            const model::Link link = link_of(name, i.description);
            declare(i.number, link.name, i.linktype, i.snaplen, link);
          },
      .packet =
          [this](const PcapngFeed::Packet& p) {
            const auto at = interfaces_.find(p.interface);
            if (at == interfaces_.end() || enough_) return;
            packet(at->second, {.data = p.data.data(),
                                .captured = static_cast<std::uint32_t>(p.data.size()),
                                .length = p.length,
                                .time_ns = p.time_ns,
                                .direction = 0});
          },
      .statistics =
          [this](const wire::InterfaceCounters& c) {
            const auto at = interfaces_.find(c.interface_id);
            if (at != interfaces_.end()) at->second.dropped = c.dropped;
          }});
}

FarSource::Interface& FarSource::declare(std::uint32_t number, const std::string& name,
                                         std::uint16_t linktype, std::uint32_t snaplen,
                                         const model::Link& link) {
  const auto known = interfaces_.find(number);
  if (known != interfaces_.end()) return known->second;
  const std::string& filter = ways_->spec().filter;
  Interface interface;
  interface.name = name;
  interface.start_ns = static_cast<std::uint64_t>(now_ns());
  interface.id = recorder_.add_interface({.target = target_,
                                          .link = link,
                                          .name = name,
                                          .linktype = linktype,
                                          .snaplen = snaplen,
                                          .filter = filter,
                                          .netns = 0});
  const bool in_kernel = linktype == wire::kLinktypeEthernet || linktype == wire::kLinktypeRaw;
  if (feed_ && !trim(filter).empty()) {
    Result<Filter> compiled = Filter::compile(filter, linktype, snaplen, /* in_user_space= */ !in_kernel);
    if (compiled && compiled->in_user_space()) interface.filter = std::move(*compiled);
  }
  if (interfaces_.empty()) {
    std::string how = "capturing in " + who_ + " " + step_.words;
    if (!why_not_.empty()) how += "; not better, because " + why_not_;
    if (const std::optional<Error> before = ways_->before()) how += "; not better, because " + before->what;
    hooks_.report("attached", how);
  }
  return interfaces_.emplace(number, std::move(interface)).first->second;
}

void FarSource::packet(Interface& interface, const wire::Packet& packet) {
  if (interface.filter && !interface.filter->matches(packet.data, packet.captured, packet.length)) return;
  ++interface.received;
  ++received_;
  enough_ = !hooks_.packet(interface.id, packet);
}

void FarSource::read_output() {
  channel_->read_output();
  if (broken_) channel_->end();
  if (channel_->ended()) step_ended();
}

void FarSource::read_errors() {
  channel_->read_errors();
}

void FarSource::beat(bool reading) {
  if (!channel_ || ending_) return;
  if (!reading) channel_->excuse();
  if (!channel_->silent()) return channel_->beat();
  Error lost = channel_->lost();
  channel_.reset();
  fail(std::move(lost));
}

void FarSource::end() {
  ending_ = true;
  if (channel_) channel_->end();
  if (!channel_) ended_ = true;
}

void FarSource::step_ended() {
  const Result<int> code = channel_->finish();
  channel_.reset();
  if (ending_) {
    ended_ = true;
    return;
  }
  if (!code) {
    if (received_ == 0 && refused_for_now(code.error()) && ++tries_ < kMostTries) {
      retry_at_ = Clock::now() + some_time();
      return;
    }
    return fail(code.error());
  }
  const StreamWays::End end{*code, errors_};
  if (broken_) return fail({broken_->kind, "capture " + step_.words + ": " + broken_->what, {}});
  if (errors_.find(kUnheard) != std::string::npos || *code == agent::kBeatsMissed)
    return fail({ErrorKind::unreachable,
                 "nothing from here has reached the place where " + who_ +
                     " is captured for 6 s, and that ended; what came until then is kept",
                 {}});
  if (*code == kTargetGone)
    return fail({ErrorKind::gone, who_ + " has stopped or started anew meanwhile", "select it again"});
  if (!interfaces_.empty() && *code == 0) {
    hooks_.report("exited", who_ + " has stopped");
    ended_ = true;
    return;
  }
  if (!interfaces_.empty()) return fail(ways_->error_of(end));
  if (const Status s = run(ways_->after(end)); !s) fail(s.error());
}

void FarSource::fail(Error error) {
  failure_ = std::move(error);
  ended_ = true;
}

void FarSource::close() {
  if (closed_) return;
  closed_ = true;
  if (const auto lost = reported_drops(errors_); lost && !interfaces_.empty())
    interfaces_.begin()->second.dropped += *lost;
  channel_.reset();
  for (const auto& [number, i] : interfaces_)
    recorder_.statistics(
        {i.id, i.start_ns, static_cast<std::uint64_t>(now_ns()), i.received + i.dropped, i.dropped});
}

void FarSource::add_statistics(annotate::Event& event) const {
  for (const auto& [number, i] : interfaces_)
    event.links.push_back({target_.chosen.name, i.name, i.received, i.dropped});
}

}  // namespace podshark::extcap::remote
