// SPDX-License-Identifier: GPL-2.0-or-later
// A chain of children, one at a time: each step of the plan is a program; its stdout (packets, or chatter of
// an installation), stderr and end are events of the loop. The first step that delivers a pcap header makes
// the interface. An end before any packet asks the plan for the next step; one after packets is the end.
//
// Closing lets go of the lease and reads on until the program has ended: its last packets and its count of
// lost ones come only then. One that takes longer is killed, except a sidecar's: podman, killed while it
// makes a container, would leave that behind, so its lease goes on removing it.
#include "extcap/capture/stream_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "extcap/capture/first_process.h"
#include "extcap/capture/tool_words.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr int kPipeSize = 1 << 20;  // as much as PcapReader holds
constexpr int kReadsPerTurn = 8;
constexpr std::size_t kMostErrors = std::size_t{16} * 1024;
constexpr milliseconds kEndLimit{400};  // Wireshark counts on our end within a second
// The first process of a container ends after those that podman exec started in it.
constexpr milliseconds kContainerGrace{300};
// From a packet's stamp through the program and podman to us, on a busy machine.
constexpr std::uint64_t kInFlightNs = 50'000'000;
// dumpcap reads with a time-out of a quarter of a second, for which the kernel may keep a block to itself.
constexpr std::uint64_t kInFlightDumpcapNs = 350'000'000;

bool readable(int fd, milliseconds wait) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(wait.count())) > 0;
}

}  // namespace

StreamSource::StreamSource(Target target, StreamPlan plan, EventLoop& loop, Recorder& recorder,
                           SourceHooks hooks)
    : target_(std::move(target)),
      plan_(std::move(plan)),
      loop_(loop),
      recorder_(recorder),
      hooks_(std::move(hooks)) {}

StreamSource::~StreamSource() {
  close();
}

Result<std::unique_ptr<StreamSource>> StreamSource::open(const Target& target, StreamPlan plan,
                                                         EventLoop& loop, Recorder& recorder,
                                                         SourceHooks hooks) {
  std::unique_ptr<StreamSource> source(
      new StreamSource(target, std::move(plan), loop, recorder, std::move(hooks)));
  if (const Status s = source->start(); !s) return s.error();
  return source;
}

Status StreamSource::start() {
  opened_ns_ = static_cast<std::uint64_t>(now_ns());
  Result<UniqueFd> process = open_first_process(target_.container);
  if (!process) return process.error();
  pidfd_ = std::move(*process);
  if (const Status s = run(plan_.first()); !s) return s.error();
  loop_.add(pidfd_.get(), EPOLLIN, [this](std::uint32_t) { on_container_ended(); });
  return ok();
}

Status StreamSource::run(StreamPlan::Step step) {
  if (step.kind == StreamPlan::Step::Kind::failed) return step.error;
  const bool stream = step.kind == StreamPlan::Step::Kind::stream;
  Result<Child> child = spawn(step.argv, {}, {.lease = stream, .errors = true});
  if (!child) return child.wrap("capture " + step.words);
  child_ = std::move(*child);
  (void)::fcntl(child_.out(), F_SETPIPE_SZ, kPipeSize);
  if (!stream) report("installing", step.words);
  step_ = std::move(step);
  errors_.clear();
  reader_ = PcapReader();
  watch_output();
  loop_.add(child_.errors(), EPOLLIN, [this](std::uint32_t) { on_errors(); });
  loop_.add(child_.pidfd(), EPOLLIN, [this](std::uint32_t) { on_child_ended(); });
  return ok();
}

// A closed pipe is told again and again, also to those who do not want to read: paused means not watched.
void StreamSource::watch_output() {
  if (output_watched_ || paused_ || !child_) return;
  output_watched_ = loop_.add(child_.out(), EPOLLIN, [this](std::uint32_t) { on_output(); });
}

void StreamSource::on_output() {
  if (read_some(kReadsPerTurn)) return;
  output_watched_ = false;
  loop_.remove(child_.out());
}

// False when nothing more can come.
bool StreamSource::read_some(int most_reads) {
  while (most_reads-- > 0) {
    if (!take_packets()) return true;  // the reader's room may be full
    const std::span<std::uint8_t> room = reader_.room();
    const ssize_t n = ::read(child_.out(), room.data(), room.size());
    if (n == 0) return false;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    // What an installation prints, or a stream that is no pcap, is not wanted.
    if (step_.kind == StreamPlan::Step::Kind::stream && !broken_) reader_.filled(static_cast<std::size_t>(n));
  }
  return take_packets();
}

// False when the session wants no more for now.
bool StreamSource::take_packets() {
  const Result<bool> begun = reader_.begun();
  if (begun && !*begun) return true;
  bool wanted = true;
  Status status = ok();
  if (begun) {
    declare();
    status = reader_.read([&](const wire::Packet& packet) {
      ++received_;
      last_ns_ = packet.time_ns;
      wanted = hooks_.packet(id_, packet);
      return wanted;
    });
  }
  if (begun && status) return wanted;
  broken_ = begun ? status.error() : begun.error();
  reader_ = PcapReader();
  child_.end_lease();
  return true;
}

void StreamSource::declare() {
  if (declared_ == reader_.linktype()) return;
  declared_ = reader_.linktype();
  start_ns_ = static_cast<std::uint64_t>(now_ns());
  before_ = discover::read_dev(counted_pid());
  const StreamSpec& spec = plan_.request().spec;
  model::Link link;
  link.name = spec.link;
  const bool inside = target_.point == Point::inside;
  id_ = recorder_.add_interface({.target = target_,
                                 .link = link,
                                 .name = link_name(),
                                 .linktype = reader_.linktype(),
                                 .snaplen = spec.snaplen,
                                 .filter = spec.filter,
                                 .netns = inside ? target_.container.netns : 0});
  if (hooks_.opened) hooks_.opened(id_, target_, link, reader_.linktype(), link_name());
  report("attached", (inside ? "capturing in container " + target_.container.name
                             : "capturing on " + what(target_) + ", link " + link_name()) +
                         " " + step_.words);
}

std::string StreamSource::link_name() const {
  const StreamRequest& request = plan_.request();
  return one_line(request.link_name.empty() ? request.spec.link : request.link_name, 40);
}

// Whose namespace has the links: links on the host's side are those of ours.
pid_t StreamSource::counted_pid() const {
  return target_.point == Point::inside ? target_.container.pid : ::getpid();
}

void StreamSource::on_errors() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = ::read(child_.errors(), buffer.data(), buffer.size());
    if (n > 0) {
      errors_.append(buffer.data(), static_cast<std::size_t>(n));
      if (errors_.size() > 2 * kMostErrors) errors_.erase(0, errors_.size() - kMostErrors);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) loop_.remove(child_.errors());
    return;
  }
}

void StreamSource::on_child_ended() {
  loop_.remove(child_.pidfd());
  if (paused_) {
    end_waits_ = true;
    return;
  }
  while (read_some(kReadsPerTurn) && readable(child_.out(), milliseconds(0)) && take_packets()) {
  }
  on_errors();
  const int status = child_.wait();
  stop_watching();
  child_ = Child();
  step_ended(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void StreamSource::step_ended(int exit_code) {
  const StreamPlan::End end{exit_code, errors_};
  if (declared_ && container_gone(kContainerGrace)) return on_container_ended();
  if (broken_) return fail(Error{broken_->kind, "capture " + step_.words + ": " + broken_->what, {}});
  if (received_ > 0) return fail(plan_.error_of(end));
  if (const Status s = run(plan_.after(end)); !s) fail(s.error());
}

bool StreamSource::container_gone(milliseconds grace) const {
  return pidfd_ && readable(pidfd_.get(), grace);
}

void StreamSource::fail(Error error) {
  close();
  ended_ = true;
  failure_ = std::move(error);
  hooks_.changed();
}

void StreamSource::on_container_ended() {
  close();
  ended_ = true;
  report("exited", "container " + target_.container.name + " has stopped");
  hooks_.changed();
}

void StreamSource::pause(bool paused) {
  paused_ = paused;
  if (paused) {
    if (output_watched_) loop_.remove(child_.out());
    output_watched_ = false;
    return;
  }
  if (end_waits_) {
    end_waits_ = false;
    return on_child_ended();
  }
  if (child_ && take_packets()) watch_output();
}

void StreamSource::ending() {
  if (step_.kind == StreamPlan::Step::Kind::stream) child_.end_lease();
}

void StreamSource::wait_for_the_end() {
  const Clock::time_point deadline = Clock::now() + kEndLimit;
  std::array<pollfd, 2> pipes{{{child_.out(), POLLIN, 0}, {child_.errors(), POLLIN, 0}}};
  bool open = true;
  while (open || pipes[1].fd >= 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 || ::poll(pipes.data(), pipes.size(), static_cast<int>(left.count())) <= 0) return;
    if (open && pipes[0].revents != 0 && !read_some(1)) {
      open = false;
      pipes[0].fd = -1;
    }
    if (pipes[1].fd >= 0 && pipes[1].revents != 0) {
      const bool ended = (pipes[1].revents & POLLIN) == 0;
      on_errors();
      if (ended) pipes[1].fd = -1;
    }
  }
}

void StreamSource::stop_watching() {
  if (output_watched_) loop_.remove(child_.out());
  output_watched_ = false;
  loop_.remove(child_.errors());
  loop_.remove(child_.pidfd());
}

void StreamSource::close() {
  if (closed_) return;
  closed_ = true;
  paused_ = false;
  if (child_) {
    stop_watching();
    if (step_.kind == StreamPlan::Step::Kind::stream) {
      child_.end_lease();
      wait_for_the_end();
      if (step_.tidies_up) child_.leave();
    }
    child_ = Child();
  }
  if (pidfd_) loop_.remove(pidfd_.get());
  pidfd_.reset();
  dropped_ = reported_drops(errors_).value_or(0);
  if (!declared_) return;
  if (hooks_.closed) hooks_.closed(id_);
  recorder_.statistics({id_, start_ns_, static_cast<std::uint64_t>(now_ns()), received_ + dropped_,
                        dropped_ + recorder_.lost(id_)});
}

void StreamSource::add_statistics(annotate::Event& event) {
  if (!declared_) return;
  const std::uint64_t lost = recorder_.lost(id_);
  event.links.push_back({target_.container.name, link_name(), received_ - lost, dropped_ + lost, 0, 0, lost});
}

void StreamSource::add_traffic(std::vector<LinkTraffic>& links) {
  if (!declared_ || closed_) return;
  const std::string& wanted = plan_.request().spec.link;
  for (const discover::DevCounter& now : discover::read_dev(counted_pid())) {
    const auto was =
        std::find_if(before_.begin(), before_.end(), [&](const auto& b) { return b.link == now.link; });
    const std::uint64_t packets =
        now.packets - (was == before_.end() ? 0 : std::min(was->packets, now.packets));
    links.push_back({one_line(now.link, 32), wanted == "any" || wanted == now.link, now.link == "lo",
                     /* up= */ true, packets});
  }
}

std::uint64_t StreamSource::complete_until(std::uint64_t now_ns) const {
  if (reader_.pending()) return std::max(last_ns_, start_ns_);
  if (closed_ || !declared_) return now_ns;
  return now_ns - (plan_.request().host ? kInFlightDumpcapNs : kInFlightNs);
}

void StreamSource::report(const std::string& what, const std::string& detail) {
  annotate::Event event;
  event.kind = "lifecycle";
  event.time_ns = now_ns();
  event.what = what;
  event.container_id = target_.container.id;
  event.container = target_.container.name;
  event.link = declared_ ? link_name() : "";
  event.detail = one_line(detail, 400);
  recorder_.event(event);
}

}  // namespace podshark::extcap
