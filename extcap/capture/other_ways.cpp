// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/other_ways.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "extcap/capture/filter.h"
#include "extcap/capture/host_ports.h"
#include "extcap/capture/host_side.h"
#include "extcap/capture/stream_source.h"
#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "podman/kernel/rtnetlink.h"

namespace podshark::extcap {
namespace {

// Unique on this machine, and says whose it is in `podman ps`.
std::string sidecar_name(const model::Container& c) {
  static unsigned number = 0;
  return "podshark-" + c.id.substr(0, 12) + "-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

// The network namespace is then owned by that user namespace too.
bool has_own_userns(const model::Container& c) {
  const std::uint64_t inner = c.conmon_pid == 0 ? 0 : namespace_inode(c.pid, "user");
  const std::uint64_t outer = inner == 0 ? 0 : namespace_inode(c.conmon_pid, "user");
  return outer != 0 && inner != outer;
}

StreamSpec stream_spec(const CaptureContext& context, std::string link, std::string filter) {
  return {.link = std::move(link),
          .filter = std::move(filter),
          .snaplen = context.options.snaplen,
          .promiscuous = context.options.promiscuous,
          .buffer_bytes = context.rings->size(context.ring_wish())};
}

Status add_stream(OtherWay& way, const StreamRequest& request, const Target& target,
                  const CaptureContext& context, const SourceHooks& hooks) {
  Result<std::unique_ptr<StreamSource>> source =
      StreamSource::open(target, StreamPlan(request), context.loop, context.recorder, hooks);
  if (!source) return source.error();
  way.sources.push_back(std::move(*source));
  return ok();
}

// A capture tool takes one link, or all together.
Result<OtherWay> open_streams(StreamRequest request, const Target& target, const std::string& filter,
                              const CaptureContext& context, const SourceHooks& hooks) {
  const LinkOptions& options = context.options;
  request.container = target.chosen.name;
  request.container_id = target.chosen.id;
  OtherWay out;
  for (const std::string& link : options.links.empty() ? std::vector<std::string>{"any"} : options.links) {
    request.spec = stream_spec(context, link, filter);
    request.sidecar.name = sidecar_name(target.container);
    if (const Status s = add_stream(out, request, target, context, hooks); !s) return s.error();
  }
  return out;
}

}  // namespace

Result<OtherWay> open_through_podman(const Target& target, const MethodOptions& methods,
                                     const CaptureContext& context, const SourceHooks& hooks) {
  if (!target.network.empty()) {
    return Error{ErrorKind::unsupported, what(target) + " is captured by sockets only, not by a tool",
                 "leave --method out, or name containers"};
  }
  const bool root_socket = ::access(kRootSocket, W_OK) == 0;
  Result<Podman> podman = podman_of(target.chosen, ::geteuid(), root_socket);
  if (!podman) return podman.error();
  if (find_program(podman->program).empty())
    return Error{ErrorKind::no_podman, "podman is not installed or not in PATH", "install podman"};
  StreamRequest request;
  request.podman = std::move(*podman);
  request.exec = methods.method != Method::sidecar;
  request.install_tool = methods.install_tool;
  if (methods.method != Method::exec) request.sidecar.image = methods.sidecar_image;
  request.sidecar.container_id = target.container.id;
  request.sidecar.pid = target.container.pid;
  request.sidecar.own_userns = has_own_userns(target.container);
  return open_streams(std::move(request), target, context.options.filter, context, hooks);
}

Result<OtherWay> open_on_host(const Target& target, const MethodOptions& methods,
                              const CaptureContext& context, const SourceHooks& hooks) {
  const model::Container& c = target.container;
  std::string notice = "container " + in_quotes(c.name) + " uses the host's network: capturing ";
  HostLimit limit;
  if (methods.all_host) {
    notice += "everything on the host's links";
  } else {
    Result<HostLimit> found = limit_to_ports(c, discover::held_ports(discover::container_processes(c.pid)));
    if (!found) return found.error();
    limit = std::move(*found);
    notice += "on the host's links, limited " + limit.words + "; a port opened later is not among them";
  }
  Result<OtherWay> out = OtherWay{};
  if (::geteuid() == 0) {
    Result<std::unique_ptr<NetnsCapture>> capture =
        NetnsCapture::open(plan_host_network(target, limit.filter, context.options.links), context, hooks);
    if (!capture) return capture.error();
    out->sources.push_back(std::move(*capture));
  } else {
    StreamRequest request;
    request.host = true;
    // As the links of plan_host_network() have it by themselves.
    const std::string filter =
        both_filters(carrier_filter(), both_filters(limit.filter, context.options.filter));
    out = open_streams(std::move(request), target, filter, context, hooks);
  }
  if (out) out->notice = std::move(notice);
  return out;
}

Result<OtherWay> open_through_dumpcap(CapturePlan plan, const CaptureContext& context,
                                      const SourceHooks& hooks) {
  const UniqueFd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!netlink) return os_error(errno, "ask for the host's links");
  Result<std::vector<model::Link>> links = kernel::list_links(netlink.get());
  if (!links) return links.wrap("the host's links");
  Result<std::vector<ChosenLink>> chosen = plan.choose(netlink.get(), std::move(*links));
  if (!chosen) return chosen.error();
  OtherWay out;
  for (const ChosenLink& link : *chosen) {
    StreamRequest request;
    request.host = true;
    request.container = plan.target.chosen.name;
    request.container_id = plan.target.chosen.id;
    request.link_name = link.name;
    request.spec = stream_spec(context, link.link.name, both_filters(link.filter, context.options.filter));
    if (const Status s = add_stream(out, request, plan.target, context, hooks); !s) return s.error();
  }
  return out;
}

}  // namespace podshark::extcap
