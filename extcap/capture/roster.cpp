// SPDX-License-Identifier: GPL-2.0-or-later
// Three things tell that a container starts, each good enough alone: podman makes a file for its network
// namespace (NetnsWatch; the earliest, before anything runs in it), podman's events, and the end of its
// former process. The namespace is captured at once, unread, since nobody knows yet whose it is; a scan of
// conmon processes tells that as soon as the container's process exists, podman itself a little later.
#include "extcap/capture/roster.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include "extcap/capture/host_side.h"
#include "extcap/list_cache.h"
#include "podman/core/clock.h"
#include "podman/core/text.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::extcap {
namespace {

constexpr std::chrono::milliseconds kScan{5};  // while a namespace is unknown
constexpr std::chrono::milliseconds kJoinAgain{2000};
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr std::int64_t kLookFor = 5'000'000'000;
constexpr std::uint64_t kUnknownLimitNs = 10'000'000'000;  // then it is none that podman knows
constexpr std::size_t kMostUnknown = 64;
constexpr int kMostFailures = 20;
constexpr std::size_t kMostRetired = 256;  // whoever runs one job after another has no end of names
constexpr auto kInitLimit = std::chrono::seconds(30);
constexpr std::int64_t kStartGrace = 5'000'000'000;  // podman's word may be needed to know it

std::string seconds_text(std::int64_t ns) {
  const std::int64_t ms = std::max<std::int64_t>(ns, 0) / 1'000'000;
  std::string fraction = std::to_string(ms % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(ms / 1000) + "." + fraction + " s";
}

std::vector<std::string> start_command(const model::Container& c) {
  if (!c.systemd_unit.empty()) {
    // podman must not start what systemd supervises.
    std::vector<std::string> argv{"systemctl"};
    if (c.rootless) argv.emplace_back("--user");
    argv.insert(argv.end(), {"start", "--", c.systemd_unit});
    return argv;
  }
  if (c.infra && !c.pod_id.empty()) return {"podman", "--remote=false", "pod", "start", c.pod_id};
  return {"podman", "--remote=false", "start", c.id};
}

}  // namespace

Roster::Roster(CaptureContext context, const RosterOptions& options, Hooks hooks)
    : context_(std::move(context)),
      options_(options),
      hooks_(std::move(hooks)),
      rings_(context_.options.ring_bytes) {
  context_.rings = &rings_;
  context_.ring_wish = [this] { return ring_wish(); };
  if (Result<UniqueFd> timer = make_timer(std::chrono::milliseconds(0))) scan_timer_ = std::move(*timer);
  context_.loop.add(scan_timer_.get(), EPOLLIN, [this](std::uint32_t) {
    acknowledge(scan_timer_.get());
    poke();
  });
}

Roster::~Roster() {
  for (const Child& c : starting_) context_.loop.remove(c.pidfd());
  context_.loop.remove(scan_timer_.get());
}

// By how many are to come at the start, later by how many there are.
RingBudget::Wish Roster::ring_wish() const {
  const std::size_t now = sources_.size() + unknown_.size() + 1;
  return {.targets = std::max(expected_, now), .coming = expected_ >= now ? expected_ - now + 1 : 0};
}

Result<std::vector<CapturePlan>> Roster::plans(const Target& target) {
  std::vector<CapturePlan> out;
  if (!target.network.empty()) {
    Result<CapturePlan> plan = plan_network(target, known_);
    if (!plan) return plan.error();
    out.push_back(std::move(*plan));
    return out;
  }
  if (options_.points != Points::host) {
    CapturePlan plan;
    plan.target = target;
    plan.place = NetnsPlace::of(target.container);
    plan.choose = choose_by_name(context_.options.links, target.container.name, /* strict= */ true);
    out.push_back(std::move(plan));
  }
  if (options_.points != Points::inside) {
    Result<CapturePlan> plan = options_.points == Points::both
                                   ? plan_entry(with_addresses(target), known_)
                                   : plan_host_side(target, known_, context_.options.links);
    if (!plan) return plan.error();
    out.push_back(std::move(*plan));
  }
  return out;
}

// Of a container that podman does not tell us about, its own namespace knows the addresses.
Target Roster::with_addresses(Target target) {
  if (!address_filter(target.container).empty()) return target;
  const Result<NetnsSockets> sockets =
      context_.worker.open(NetnsPlace::of(target.container), {.netlink = 1, .raw = 0, .cooked = 0});
  if (!sockets) return target;
  const Result<std::vector<model::Link>> links = kernel::list_links(sockets->netlink.at(0).get());
  if (!links) return target;
  for (const model::Link& l : *links) {
    if (l.loopback() || l.addresses.empty()) continue;
    auto& attachment = target.container.networks.emplace_back();
    attachment.addresses = l.addresses;
  }
  return target;
}

std::unique_ptr<NetnsCapture> Roster::take_unknown(const Target& target) {
  for (std::size_t i = 0; i < unknown_.size(); ++i) {
    if (target.container.netns == 0 || unknown_[i]->netns_inode() != target.container.netns) continue;
    std::unique_ptr<NetnsCapture> capture = std::move(unknown_[i]);
    unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(i));
    return capture;
  }
  return nullptr;
}

Status Roster::add(Result<OtherWay> way, const Target& target) {
  if (!way) return way.error();
  if (!way->notice.empty()) {
    report("lifecycle", "method", target.container, way->notice);
    hooks_.notice(way->notice);
  }
  for (auto& source : way->sources) {
    if (paused_) source->pause(true);
    sources_.push_back(std::move(source));
  }
  return ok();
}

Status Roster::attach(const Target& target) {
  const MethodOptions& methods = options_.methods;
  if (target.container.kind == model::NetworkKind::host)
    return add(open_on_host(target, methods, context_, hooks_.source), target);
  if (methods.by_tool()) return add(open_through_podman(target, methods, context_, hooks_.source), target);
  Status status = attach_sockets(target);
  if (status || methods.method == Method::netns || options_.points != Points::inside ||
      status.error().kind != ErrorKind::permission) {
    return status;
  }
  Result<OtherWay> way = open_through_podman(target, methods, context_, hooks_.source);
  if (!way) return status;
  way->notice = status.error().what + ": trying a capture tool through podman instead";
  return add(std::move(way), target);
}

Status Roster::attach_sockets(const Target& target) {
  const std::size_t before = sources_.size();
  Status status = attach_all(target);
  // One half of it would count as captured, and nobody would try the other again.
  for (; !status && sources_.size() > before; sources_.pop_back()) {
    sources_.back()->close();
    keep_totals(*sources_.back());
  }
  return status;
}

Status Roster::attach_all(const Target& target) {
  Result<std::vector<CapturePlan>> wanted = plans(target);
  if (!wanted) return wanted.error();
  for (CapturePlan& plan : *wanted) {
    if (plan.place.kind == NetnsPlace::Kind::host && ::geteuid() != 0) {
      if (const Status s = add(open_through_dumpcap(std::move(plan), context_, hooks_.source), target); !s)
        return s;
      continue;
    }
    std::unique_ptr<NetnsCapture> early =
        plan.target.point == Point::inside ? take_unknown(plan.target) : nullptr;
    if (early) {
      plan.choose = choose_by_name(context_.options.links, target.container.name, /* strict= */ false);
      early->identify(std::move(plan));
    } else {
      Result<std::unique_ptr<NetnsCapture>> capture =
          NetnsCapture::open(std::move(plan), context_, hooks_.source);
      if (!capture) return capture.error();
      early = std::move(*capture);
    }
    if (paused_) early->pause(true);
    sources_.push_back(std::move(early));
  }
  return ok();
}

bool Roster::captured(const Target& t) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const auto& s) {
    const Target& have = s->target();
    return !s->ended() && have.network == t.network && have.container.id == t.container.id &&
           have.container.same_process(t.container);
  });
}

bool Roster::given_up(const Target& t) const {
  const auto it = failures_.find({t.container.pid, t.container.pid_start});
  return it != failures_.end() && it->second >= kMostFailures;
}

// "Gone" may be a container that is not quite there yet: podman runs nothing in one that is only being made.
void Roster::give_up_failed() {
  const bool may_come_back = options_.follow || options_.wait || starting();
  bool any = false;
  std::optional<Error> last;
  for (const auto& s : sources_) {
    const std::optional<Error> failure = s->failure();
    if (!failure) continue;
    any = true;
    int& failures = failures_[{s->target().container.pid, s->target().container.pid_start}];
    failures = may_come_back && failure->kind == ErrorKind::gone ? failures + 1 : kMostFailures;
    if (failures < kMostFailures) continue;
    report("lifecycle", "failed", s->target().container, failure->line());
    if (last) hooks_.notice(last->line());
    last = failure;
  }
  if (!any) return;  // those that ended are still to be told of by their names
  const bool over = last && idle() && !options_.wait;
  retire();
  if (over) return hooks_.failed(*last);
  if (last) hooks_.notice(last->line());
}

Status Roster::begin(Selection& selection) {
  names_ = selection.names;
  told_ = known_ = selection.inventory;
  if (options_.follow || options_.wait) {
    watch_ = std::make_unique<NetnsWatch>(
        context_.loop, [this](UniqueFd netns) { on_new_netns(std::move(netns)); },
        [this] { on_rootful_netns(); });
    watch_->start();
    if (watch_->failure() != 0)
      hooks_.notice("no inotify instance is left (" + std::string(std::strerror(watch_->failure())) +
                    "): containers that start are noticed late, and their first packets may be missing "
                    "(sudo sysctl -w fs.inotify.max_user_instances=1024)");
  }
  if (const Status s = start_stopped(selection); !s) return s.error();
  expected_ = selection.targets.size() * (options_.points == Points::both ? 2 : 1);
  for (const Target& target : selection.targets) {
    const Status s = attach(target);
    // Of several, one that has just stopped is no reason to give up.
    if (!s && (selection.targets.size() == 1 || s.error().kind != ErrorKind::gone)) return s.error();
  }
  for (const model::Container& c : selection.to_start) run_start(c);
  if (sources_.empty() && selection.to_start.empty() && !options_.wait)
    return Error{ErrorKind::gone, "all chosen containers have stopped meanwhile", "select again"};
  return ok();
}

// After `podman init` a container has its namespace, links and addresses, and a process that waits: rings are
// put on all links before anything of it runs.
Status Roster::start_stopped(Selection& selection) {
  bool any = false;
  for (const model::Container& c : selection.to_start) {
    hooks_.notice("starting container " + in_quotes(c.name));
    if (!c.systemd_unit.empty() || options_.methods.by_tool()) continue;  // a tool comes when it runs
    const Result<podshark::Output> done =
        run({"podman", "--remote=false", "init", c.id}, kInitLimit, 65536, {}, Stderr::merged);
    if (!done) return done.wrap("prepare container " + in_quotes(c.name));
    if (done->exit_code != 0) {
      return Error{
          ErrorKind::not_running,
          "podman could not prepare container " + in_quotes(c.name) + ": " + last_line(done->out, 300),
          "see 'podman start " + one_line(c.name, 80) + "'"};
    }
    any = true;
  }
  if (!any) return ok();
  selection.inventory = discover_all();
  told_ = known_ = selection.inventory;
  Result<Targets> found = resolve(names_, known_, ::geteuid());
  if (!found) return found.error();
  selection.targets = std::move(found->running);
  return ok();
}

void Roster::run_start(const model::Container& c) {
  Result<Child> child = spawn(start_command(c), {}, {.merge_stderr = true});
  if (!child) return hooks_.failed(child.wrap("start container " + in_quotes(c.name)));
  report("lifecycle", "started", c, "starting container " + c.name + ", which was " + c.state);
  starting_.push_back(std::move(*child));
  ++starts_;
  const std::size_t index = starting_.size() - 1;
  context_.loop.add(starting_.back().pidfd(), EPOLLIN, [this, index](std::uint32_t) { on_started(index); });
}

void Roster::on_started(std::size_t index) {
  Child& child = starting_.at(index);
  context_.loop.remove(child.pidfd());
  std::array<char, 4096> text{};
  const ssize_t n = ::read(child.out(), text.data(), text.size());
  const int status = child.wait();
  if (status != 0) {
    const std::string said(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    hooks_.failed({ErrorKind::not_running,
                   "the chosen container could not be started: " + last_line(said, 300),
                   "start it by hand and select it again"});
  }
  started_ns_ = elapsed_ns();
  poke();
  --starts_;
}

bool Roster::starting() const {
  return starts_ > 0 || (started_ns_ != 0 && elapsed_ns() - started_ns_ < kStartGrace);
}

void Roster::on_new_netns(UniqueFd netns) {
  if (following_paused_ || unknown_.size() >= kMostUnknown || options_.points == Points::host ||
      options_.methods.by_tool()) {
    return;
  }
  NetnsPlace place;
  place.kind = NetnsPlace::Kind::descriptor;
  place.fd = std::make_shared<UniqueFd>(std::move(netns));
  place.whose = "a new container";
  Result<std::unique_ptr<NetnsCapture>> capture = NetnsCapture::open_unknown(
      std::move(place), context_,
      {.packet = hooks_.source.packet, .changed = [] {}, .following = hooks_.source.following});
  if (!capture) {  // not ours to enter: podman's events tell of it later
    if (capture.error().kind == ErrorKind::internal) hooks_.notice(capture.error().line());
    return;
  }
  unknown_.push_back(std::move(*capture));
  arm_once(scan_timer_.get(), kScan);
}

// The installed worker wants to see conmon's child, which is there soon; root's podman tells this user
// nothing.
void Roster::on_rootful_netns() {
  look_until_ns_ = elapsed_ns() + kLookFor;
  arm_once(scan_timer_.get(), kLookAgain);
}

void Roster::poke() {
  if (following_paused_ || (!options_.follow && !options_.wait && !starting())) return;
  const auto began = std::chrono::steady_clock::now();
  reconcile(seen_now(), /* told= */ false);
  // A container may live for a few milliseconds; but no more than half of a processor, on a host with many.
  const auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  if (!unknown_.empty()) {
    arm_once(scan_timer_.get(), std::max(kScan, took));
  } else if (elapsed_ns() < look_until_ns_) {
    arm_once(scan_timer_.get(), kLookAgain + took);
  }
}

void Roster::on_event(const api::ContainerEvent& event) {
  constexpr std::size_t kMost = 256;
  if (event.status != "create" && event.status != "init" && event.status != "start") return;
  if (events_.size() >= kMost) events_.clear();
  events_[event.container.id] = event.container;
}

// Processes now, with what podman said in its events; and containers whose packets wait although they are
// over already: they lived shorter than podman takes to answer.
model::Inventory Roster::seen_now() {
  model::Inventory now = running_now(told_);
  const auto unknown = [&](std::uint64_t netns) {
    return std::any_of(unknown_.begin(), unknown_.end(),
                       [&](const auto& u) { return u->netns_inode() == netns; });
  };
  std::erase_if(seen_, [&](const auto& s) { return !unknown(s.first); });
  for (const model::Container& c : now.containers) {
    if (unknown(c.netns)) seen_[c.netns] = c;
  }
  for (const auto& [netns, c] : seen_) {
    if (now.by_id(c.id) == nullptr) now.containers.push_back(c);
  }
  for (model::Container& c : now.containers) {
    const auto it = c.limited ? events_.find(c.id) : events_.end();
    if (it == events_.end()) continue;
    c.image = it->second.image;
    c.labels = it->second.labels;
  }
  return now;
}

// Namespaces of containers that nobody chose, and those that podman never told of.
void Roster::forget_unknown(const model::Inventory& inventory) {
  const auto now = static_cast<std::uint64_t>(now_ns());
  for (std::size_t i = unknown_.size(); i-- > 0;) {
    const auto theirs = [&](const model::Container& c) {
      // A limited one may yet turn out to be a member of a chosen pod, or to have a chosen label.
      return c.alive() && !c.limited && c.netns == unknown_[i]->netns_inode();
    };
    const bool known = std::any_of(inventory.containers.begin(), inventory.containers.end(), theirs);
    if (!known && now - unknown_[i]->since_ns() < kUnknownLimitNs) continue;
    unknown_.erase(unknown_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Roster::on_inventory(const model::Inventory& inventory) {
  told_ = inventory;
  reconcile(inventory, /* told= */ true);
}

void Roster::reconcile(const model::Inventory& inventory, bool told) {
  known_ = inventory;
  if (watch_) watch_->start();
  retire();
  if (following_paused_ || (!options_.follow && !options_.wait && !starting())) return;
  std::int64_t earliest = 0;
  for (const Target& target : resolve_running(names_, inventory, ::geteuid())) {
    // Infra containers are named after their pod, which a scan of processes does not know.
    if (captured(target) || given_up(target) || (target.container.limited && target.container.infra))
      continue;
    const std::int64_t since = join(target, told);
    if (since != 0 && (earliest == 0 || since < earliest)) earliest = since;
  }
  if (earliest != 0) hooks_.joined(earliest);
  forget_unknown(inventory);
}

std::int64_t Roster::join(const Target& target, bool told) {
  if (const Status s = attach(target); !s) {
    // It has stopped again, or is still being made (its process is the runtime's, in the host's namespace):
    // the next hint tries again. What runs short here is told at once, and tried again: for want of it there
    // may be no other hint.
    const ErrorKind kind = s.error().kind;
    if (kind == ErrorKind::internal) arm_once(scan_timer_.get(), kJoinAgain);
    const bool tell = kind == ErrorKind::internal || (told && kind != ErrorKind::gone);
    if (tell && failed_.insert(target.container.pid).second)
      report("lifecycle", "join-failed", target.container, s.error().line());
    return 0;
  }
  const auto began = static_cast<std::int64_t>(sources_.back()->since_ns());
  const std::optional<Gone> gone = take_gone(target.value);
  if (!gone) {
    report("lifecycle", "joined", target.container, what(target) + " has started: capturing it too");
    return began;
  }
  const std::string why =
      gone->id == target.container.id ? "it was stopped and started again" : "it was removed and made anew";
  report("gap", "restarted", target.container,
         what(target) + " was not captured for " + seconds_text(began - gone->since_ns) + ": " + why);
  return began;
}

std::optional<Roster::Gone> Roster::take_gone(const std::string& value) {
  for (const auto& s : sources_) {  // its rings are still being read out
    if (s->until_ns() != 0 && s->target().value == value)
      return Gone{static_cast<std::int64_t>(s->until_ns()), s->target().container.id};
  }
  const auto it = gone_.find(value);
  if (it == gone_.end()) return std::nullopt;
  const Gone gone = it->second;
  gone_.erase(it);
  return gone;
}

void Roster::retire() {
  for (const auto& s : sources_) {
    if (!s->ended()) continue;
    hooks_.ended(s->target());
    const bool back = std::any_of(sources_.begin(), sources_.end(), [&](const auto& other) {
      return !other->ended() && other->until_ns() == 0 && other->target().value == s->target().value;
    });
    const std::int64_t until = s->until_ns() != 0 ? static_cast<std::int64_t>(s->until_ns()) : now_ns();
    if (!s->failure() && !back) gone_[s->target().value] = {until, s->target().container.id};
    keep_totals(*s);
  }
  std::erase_if(sources_, [](const auto& s) { return s->ended(); });
}

void Roster::keep_totals(Source& source) {
  annotate::Event totals;
  source.add_statistics(totals);
  for (const auto& l : totals.links) {
    const bool room = retired_.size() < kMostRetired || retired_.count({l.container, l.link}) != 0;
    const std::pair<std::string, std::string> name =
        room ? std::pair{l.container, l.link}
             : std::pair<std::string, std::string>{annotate::kOthers, annotate::kOthers};
    auto& sum = retired_[name];
    sum.container = name.first;
    sum.link = name.second;
    sum.add(l);
  }
}

void Roster::pause_following(bool paused) {
  following_paused_ = paused;
  if (paused) {
    unknown_.clear();
  } else {
    for (const auto& s : sources_) s->look_again();
    poke();
  }
}

std::uint64_t Roster::complete_until(std::uint64_t now_ns) const {
  std::uint64_t until = now_ns;
  for (const auto& s : sources_) until = std::min(until, s->complete_until(now_ns));
  for (const auto& u : unknown_) until = std::min(until, u->complete_until(now_ns));
  return until;
}

void Roster::add_statistics(annotate::Event& event) {
  for (const auto& s : sources_) s->add_statistics(event);
  for (const auto& [key, sum] : retired_) event.links.push_back(sum);
}

EmptyFacts Roster::empty_facts() const {
  EmptyFacts facts;
  facts.filter = one_line(context_.options.filter, 200);
  facts.any_source = !idle();
  for (const auto& s : sources_) {
    s->add_traffic(facts.links);
    if (facts.preparing.empty()) facts.preparing = s->preparing();
  }
  if (sources_.empty()) return facts;
  const Target& target = sources_.front()->target();
  facts.target = sources_.size() == 1 ? what(target) : "what was chosen";
  facts.kind = target.container.kind;
  for (const model::Container& c : told_.containers) {
    if (c.alive() && c.id != target.container.id && c.name == target.container.name)
      facts.other_owner = c.owner == 0 ? "root" : "another user";
  }
  return facts;
}

void Roster::pause(bool paused) {
  paused_ = paused;
  for (const auto& s : sources_) s->pause(paused);
}

void Roster::close() {
  for (const auto& s : sources_) s->ending();
  for (const auto& s : sources_) s->close();
  unknown_.clear();
}

bool Roster::idle() const {
  return starts_ == 0 &&
         std::all_of(sources_.begin(), sources_.end(), [](const auto& s) { return s->ended(); });
}

void Roster::report(const char* kind, const std::string& what, const model::Container& c,
                    const std::string& detail) {
  annotate::Event event;
  event.kind = kind;
  event.time_ns = now_ns();
  event.what = what;
  event.container_id = c.id;
  event.container = c.name;
  event.detail = one_line(detail, 400);
  context_.recorder.event(event);
}

}  // namespace podshark::extcap
