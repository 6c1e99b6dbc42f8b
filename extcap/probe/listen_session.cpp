// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <ostream>

#include "extcap/inventory_source.h"
#include "extcap/probe/render.h"
#include "extcap/probe/session.h"
#include "extcap/probe/stop.h"

namespace podshark::extcap::probing {
namespace {

constexpr std::chrono::milliseconds kTurn{100};

struct Wanted {
  std::string host;
  std::uint16_t port = 0;
  bool udp = false;
};

Result<Wanted> read_target(const std::string& text) {
  const Result<TargetText> target = parse_target(text);
  if (!target) return target.error();
  const bool udp = target->protocol == probe::Protocol::udp;
  if (!target->port || (target->protocol && !udp && target->protocol != probe::Protocol::tcp))
    return Error{ErrorKind::usage, "listen needs CONTAINER:PORT, with /tcp or /udp", {}};
  return Wanted{target->host, *target->port, udp};
}

// Prints arrivals; false when `limit` (0: none) is reached.
class Printer {
 public:
  Printer(const ListenOptions& options, std::string name, std::string protocol, const Source& place,
          const model::Inventory& inventory, std::ostream& out)
      : o_(options),
        name_(std::move(name)),
        protocol_(std::move(protocol)),
        place_(place),
        inventory_(inventory),
        out_(out) {}

  void print(std::vector<probe::Arrival>& arrivals) {
    for (const probe::Arrival& a : arrivals) {
      if (enough()) break;
      ++seen_;
      const std::string who = who_is(a.from.address, place_.container, inventory_);
      out_ << (o_.json ? render_arrival_json(a, name_, protocol_, who) : render_arrival(a, who)) << '\n'
           << std::flush;
    }
    arrivals.clear();
  }
  [[nodiscard]] bool enough() const { return o_.count != 0 && seen_ >= o_.count; }
  [[nodiscard]] bool any() const { return seen_ > 0; }

 private:
  const ListenOptions& o_;
  std::string name_;
  std::string protocol_;
  const Source& place_;
  const model::Inventory& inventory_;
  std::ostream& out_;
  std::uint64_t seen_ = 0;
};

}  // namespace

Result<Verdict> run_listen(const ListenOptions& o, std::ostream& out, std::ostream& err) {
  Result<UniqueFd> stop = stop_signals();
  if (!stop) return stop.error();
  const Result<Wanted> wanted = read_target(o.target);
  if (!wanted) return wanted.error();
  const Result<model::Inventory> inventory = live_inventory();
  if (!inventory && wanted->host != "host") return inventory.error();
  const model::Inventory known = inventory ? *inventory : model::Inventory();
  const Result<Source> place = find_source(wanted->host, known, ::geteuid());
  if (!place) return place.error();
  if (!place->ssh.empty())
    return Error{ErrorKind::unsupported, "cannot listen on another machine from here",
                 "--host [USER@]HOST runs podshark listen there"};
  WorkerClient worker;
  Result<OwnListener> listener =
      open_listener(worker, *place, wanted->port, wanted->udp, "podshark " + random_id());
  if (!listener) return listener.error();
  const std::string protocol = wanted->udp ? "udp" : "tcp";
  const std::string name = place->name + ":" + std::to_string(wanted->port) + "/" + protocol;
  err << "podshark listen: waiting on " << name << '\n' << std::flush;
  Printer printer(o, name, protocol, *place, known, out);
  Runner runner(worker, std::chrono::milliseconds(0), stop->get());
  const probe::TimePoint end = probe::Clock::now() + o.timeout;
  while (!runner.stopped() && !printer.enough()) {
    if (o.timeout.count() != 0 && probe::Clock::now() >= end)
      return printer.any() ? Verdict::ok : Verdict::failed;
    runner.pause(kTurn, &*listener);
    printer.print(*listener->arrivals);
  }
  return Verdict::ok;
}

}  // namespace podshark::extcap::probing
