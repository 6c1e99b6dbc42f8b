// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/remote/far_ways.h"

#include <linux/filter.h>
#include <unistd.h>

#include <vector>

#include "extcap/capture/filter.h"
#include "podman/core/text.h"

namespace podshark::extcap::remote {
namespace {

using model::NetworkKind;

// Over ssh the whole script is one argument, for which Linux has 128 KiB, in base64 twice.
constexpr std::size_t kMostGzip = 60'000;

// $1: the program, packed; $2: what makes it root's, or nothing; then its words. It runs from a file that has
// no name any more: nothing is left however it ends. Directories may be mounted noexec.
constexpr const char* kBootstrap = R"(
packed=$1 root=$2
shift 2
for d in "${XDG_RUNTIME_DIR:-/tmp}" /tmp /var/tmp "$HOME"; do
  [ -d "$d" ] && [ -w "$d" ] && f=$(mktemp "$d/.podshark.XXXXXX" 2>/dev/null) || continue
  trap 'rm -f "$f"' EXIT
  trap 'exit 1' HUP TERM
  if printf %s "$packed" | base64 -d 2>/dev/null | gunzip 2>/dev/null >"$f" &&
    chmod 700 "$f" && "$f" version >/dev/null 2>&1; then
    if [ -n "$root" ]; then
      "$root" -n sh -c 'exec 4<"$1"; rm -f "$1"; shift; exec /proc/self/fd/4 "$@"' sh "$f" "$@"
      code=$?
      rm -f "$f"
      exit $code
    fi
    exec 4<"$f"
    rm -f "$f"
    exec /proc/self/fd/4 "$@"
  fi
  rm -f "$f"
done
echo "podshark-agent: no directory there takes programs (noexec), or base64, gunzip or mktemp is missing" >&2
exit 98
)";

// An image of nothing but the agent, imported once, and a container of it beside the one that is captured,
// all by podman's API. The agent has its own lease, from stdin: it ends when the link does, and the container
// with it.
constexpr const char* kByApi = R"(
c=$1 packed=$2 image=$3 network=$4 name=$5
shift 5
if ! podman --connection "$c" image exists "$image" </dev/null; then
  d=$(mktemp -d) || exit
  gunzip -c "$packed" >"$d/a" && chmod 755 "$d/a" &&
    tar -C "$d" -c a | podman --connection "$c" import -q --change 'ENTRYPOINT ["/a"]' - "$image" >/dev/null
  rm -rf "$d"
fi
exec podman --connection "$c" run --rm -i --pull never --log-driver none --name "$name" --network "$network" \
  --cap-drop all --cap-add NET_RAW "$image" "$@"
)";

std::string hex_program(const std::vector<sock_filter>& program) {
  std::string out;
  const auto little = [&](std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) out += hex(value >> (8 * i) & 0xFFU, 2);
  };
  for (const sock_filter& f : program) {
    little(f.code, 2);
    little(f.jt, 1);
    little(f.jf, 1);
    little(f.k, 4);
  }
  return out;
}

}  // namespace

Result<Argv> agent_words(const StreamSpec& spec, const std::string& target) {
  Argv argv{"capture", "-s", std::to_string(spec.snaplen), "-r",
            std::to_string(std::max<std::size_t>(spec.buffer_bytes >> 10U, 256))};
  if (!spec.promiscuous) argv.emplace_back("-P");
  if (spec.link != "any") argv.insert(argv.end(), {"-i", spec.link});
  // The kernel runs it on these; what else there is, is filtered here.
  for (const std::uint16_t linktype : {wire::kLinktypeEthernet, wire::kLinktypeRaw}) {
    if (trim(spec.filter).empty()) break;
    const Result<Filter> filter = Filter::compile(spec.filter, linktype, spec.snaplen);
    if (!filter && linktype == wire::kLinktypeEthernet) return filter.error();
    if (!filter || filter->kernel_program().empty()) continue;
    argv.insert(argv.end(), {"-f", std::to_string(linktype) + ":" + hex_program(filter->kernel_program())});
  }
  argv.push_back(target);
  return argv;
}

Argv agent_from_stdin(const Argv& words) {
  const std::string read = "IFS= read -r packed\nset -- \"$packed\" '' \"$@\"\n";
  return joined({"sh", "-c", read + kBootstrap, "podshark"}, words);
}

namespace {

StreamSpec spec_of(const SessionOptions& options, const std::string& link) {
  return {.link = link,
          .filter = options.link.filter,
          .snaplen = options.link.snaplen,
          .promiscuous = options.link.promiscuous,
          .buffer_bytes = options.link.ring_bytes == 0 ? std::size_t{8} << 20U : options.link.ring_bytes};
}

std::string name_beside(const Target& target, const std::string& salt) {
  return "podshark-" + target.container.id.substr(0, 12) + "-" + hex(fnv1a(salt), 8);
}

// Where podman's API is all there is.
Result<StreamRequest> request_by_api(const FarHost& host, const FarFacts& facts, const Target& target,
                                     const SessionOptions& options, const std::string& link,
                                     const AgentFile& agent) {
  if (!agent.missing.empty()) return Error{ErrorKind::unsupported, agent.missing, {}};
  if (options.roster.methods.by_tool())
    return Error{ErrorKind::unsupported, "--method is not possible through podman's API alone",
                 "leave it out, or go through ssh://"};
  if (target.container.kind == NetworkKind::host)
    return Error{ErrorKind::unsupported,
                 what(target) + " uses its host's network, which podman's API alone does not reach",
                 "go through ssh://"};
  StreamRequest request;
  request.machine = host.name;
  request.container = target.chosen.name;
  request.container_id = target.chosen.id;
  request.spec = spec_of(options, link);
  const Result<Argv> words = agent_words(request.spec, "self");
  if (!words) return words.error();
  const std::string image = "localhost/podshark-agent:" + hex(fnv1a(agent.gzip), 16);
  const std::string salt = std::to_string(facts.clock_ns) + link;
  // By path: `podman rm -f` of a container fails while another one names it as its network.
  const std::string network = "ns:/proc/" + std::to_string(target.container.pid) + "/ns/net";
  request.agent = joined({"sh", "-c", kByApi, "podshark", host.connection, agent.path, image, network,
                          name_beside(target, salt)},
                         *words);
  return request;
}

}  // namespace

Status only_with_podshark(const FarHost& host, const SessionOptions& options) {
  const auto needs = [&](const char* option) {
    return Error{ErrorKind::unsupported,
                 std::string(option) + " needs podshark on " + host.name + ", where it is not installed",
                 "install it there, or leave the option out"};
  };
  if (options.roster.wait) return needs("--wait");
  if (options.roster.points != Points::inside) return needs("--point");
  if (options.drops == DropMode::on || options.drops == DropMode::all) return needs("--drops");
  if (options.roster.methods.method == Method::netns) return needs("--method netns");
  return ok();
}

Result<StreamRequest> far_request(const FarHost& host, const FarFacts& facts, const Target& target,
                                  const SessionOptions& options, const std::string& link,
                                  const AgentFile& agent, std::string* why_not) {
  if (!target.network.empty())
    return Error{ErrorKind::unsupported,
                 what(target) + " needs podshark on " + host.name + ", where it is not installed",
                 "name its containers"};
  if (!host.connection.empty()) return request_by_api(host, facts, target, options, link, agent);
  const model::Container& c = target.chosen;
  const bool rootful = c.owner == 0;
  const bool on_host = target.container.kind == NetworkKind::host;
  if ((rootful || on_host) && facts.uid != 0 && facts.elevate.empty())
    return Error{
        ErrorKind::permission,
        what(target) + " needs root on " + host.name + ", and we are user id " + std::to_string(facts.uid) +
            " there",
        "log in as root, let sudo run podman and nsenter without a password, or install podshark there"};
  const Argv elevate = facts.uid != 0 && (rootful || on_host) ? Argv{facts.elevate, "-n"} : Argv{};
  const MethodOptions& methods = options.roster.methods;
  StreamRequest request;
  request.machine = host.name;
  request.container = c.name;
  request.container_id = c.id;
  request.elevate = elevate;
  request.spec = spec_of(options, link);
  if (on_host) {
    const std::string& filter = request.spec.filter;
    // Which ports it holds only podshark there could see.
    if (trim(filter).empty() && !methods.all_host)
      return Error{
          ErrorKind::unsupported,
          what(target) + " uses the network of " + host.name +
              ", and which ports there are its own is not known without podshark there",
          "say with -f what is wanted, for example -f 'port 8080', or capture everything: --all-host"};
    request.spec.filter = both_filters(without_carrier(facts.carrier, /* any_port= */ true), filter);
  }
  const pid_t pid = target.container.pid;
  if (!methods.by_tool()) {
    const auto tells = [&](const std::string& text) { *why_not += (why_not->empty() ? "" : "; ") + text; };
    if (!agent.missing.empty()) {
      tells(agent.missing);
    } else if (agent.gzip.size() > kMostGzip) {
      tells("podshark-agent is too large to be sent");
    } else {
      const Result<Argv> words = agent_words(request.spec, std::to_string(pid));
      if (!words) return words.error();
      request.agent = joined({"sh", "-c", kBootstrap, "podshark", base64(agent.gzip),
                              elevate.empty() ? std::string() : elevate.front()},
                             *words);
    }
    const std::string number = std::to_string(pid);
    if (facts.tools.count("nsenter") == 0) {
      tells("nsenter (util-linux) is not installed there");
    } else {
      request.enter = rootful || on_host
                          ? joined(elevate, {"nsenter", "-t", number, "-n"})
                          : Argv{"podman", "--remote=false", "unshare", "nsenter", "-t", number, "-n"};
    }
  }
  if (!on_host) {
    request.exec = methods.method != Method::sidecar;
    request.install_tool = methods.install_tool;
    if (methods.method != Method::exec) request.sidecar.image = methods.sidecar_image;
    request.sidecar.container_id = target.container.id;
    request.sidecar.pid = pid;
    // Two captures of ours may come over one connection that ssh shares.
    const std::string own_salt = facts.carrier + link + std::to_string(::getpid());
    request.sidecar.name = name_beside(target, own_salt);
  }
  return request;
}

std::string step_script(const FarHost& host, const StreamPlan::Step& step, const Target& target) {
  const std::string command = shell_words(step.argv);
  const bool api = !host.connection.empty();  // what would answer is on this side of it
  if (step.kind == StreamPlan::Step::Kind::command)
    return leased_group("exec " + command, api ? Answers::no : Answers::yes);
  if (api) return leased_stdin(command, Answers::no);  // its processes are not ours to see
  const std::string process = "/proc/" + std::to_string(target.container.pid);
  // podman's pid is what it was when podman was asked: the process belongs to a conmon with this id.
  const std::string same = "grep -q " + shell_word(target.container.id) +
                           " /proc/$(sed 's/.*) [A-Za-z] \\([0-9]*\\) .*/\\1/' " + process +
                           "/stat 2>/dev/null)/cmdline 2>/dev/null";
  return leased_stdin("if " + same + "; then " + command + "; else echo podshark-gone >&2; (exit " +
                          std::to_string(kTargetGone) + "); fi",
                      Answers::yes, "[ -d " + process + " ]");
}

}  // namespace podshark::extcap::remote
