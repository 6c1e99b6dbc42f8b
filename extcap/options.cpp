// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/options.h"

#include <ostream>

#include "extcap/kube/node_pod.h"
#include "extcap/sentence.h"
#include "podman/api/parse_kube.h"
#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr const char* kAllLinks = "all";

Status read_size(const OptionSource& source, const char* name, std::uint64_t least, std::uint64_t most,
                 std::uint64_t& out) {
  const std::optional<std::string> text = source(name);
  if (!text || text->empty()) return ok();
  std::uint64_t value = 0;
  if (!parse_number(*text, most, value) || value < least) {
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(*text, 40) + "' is not a number from " +
                     std::to_string(least) + " to " + std::to_string(most),
                 {}};
  }
  out = value;
  return ok();
}

Status read_flag(const OptionSource& source, const char* name, bool& out) {
  const std::optional<std::string> text = source(name);
  if (!text || text->empty()) return ok();
  if (*text != "true" && *text != "false") {
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(*text, 40) + "' is neither true nor false",
                 {}};
  }
  out = *text == "true";
  return ok();
}

// Wireshark gives a boolflag as a bare word, or not at all.
Status read_switch(const OptionSource& source, const char* name, bool& out) {
  if (const std::optional<std::string> text = source(name); text && text->empty()) {
    out = true;
    return ok();
  }
  return read_flag(source, name, out);
}

Status read_methods(const OptionSource& source, MethodOptions& out) {
  if (const auto text = source("method"); text && !text->empty()) {
    const Result<Method> method = read_method(*text);
    if (!method) return method.error();
    out.method = *method;
  }
  out.sidecar_image = source("sidecar-image").value_or("");
  if (out.sidecar_image.starts_with('-')) {
    return Error{
        ErrorKind::usage, "--sidecar-image '" + one_line(out.sidecar_image, 80) + "' is no image name", {}};
  }
  out.agent_image = source("agent-image").value_or("");
  if (out.agent_image.starts_with('-'))
    return Error{ErrorKind::usage, "--agent-image " + in_quotes(out.agent_image) + " is no image name", {}};
  out.node_image = source("node-pod").value_or("");
  if (!out.node_image.empty() && !kube::is_image_name(out.node_image))
    return Error{ErrorKind::usage, "--node-pod " + in_quotes(out.node_image) + " is no image name", {}};
  out.node_namespace = source("node-namespace").value_or("");
  if (!out.node_namespace.empty() && !api::is_kube_name(out.node_namespace))
    return Error{ErrorKind::usage, "--node-namespace " + in_quotes(out.node_namespace) + " is no name", {}};
  if (Status s = read_switch(source, "install-tool", out.install_tool); !s) return s;
  return read_switch(source, "all-host", out.all_host);
}

Status read_points(const OptionSource& source, Points& out) {
  const std::string text = source("point").value_or("");
  if (text.empty() || text == "inside") return ok();
  if (text != "host" && text != "both") {
    return Error{ErrorKind::usage, "--point '" + one_line(text, 40) + "' is not inside, host or both", {}};
  }
  out = text == "host" ? Points::host : Points::both;
  return ok();
}

Status read_drops(const OptionSource& source, DropMode& out) {
  const std::string text = source("drops").value_or("");
  if (text.empty() || text == "auto") return ok();
  if (text != "off" && text != "on" && text != "all")
    return Error{ErrorKind::usage, "--drops " + in_quotes(text) + " is not auto, on, off or all", {}};
  out = text == "off" ? DropMode::off : text == "on" ? DropMode::on : DropMode::all;
  return ok();
}

Status read_on_off(const OptionSource& source, const char* name, bool& out) {
  const std::string text = source(name).value_or("");
  if (text.empty()) return ok();
  if (text != "on" && text != "off")
    return Error{ErrorKind::usage,
                 std::string("--") + name + " '" + one_line(text, 40) + "' is neither on nor off",
                 {}};
  out = text == "on";
  return ok();
}

void add_links(const std::string& text, std::vector<std::string>& links) {
  for (const std::string& link : split(text, ',')) {
    const std::string name(trim(link));
    if (!name.empty() && name != kAllLinks) links.push_back(name);
  }
}

// What is easily combined and can not be meant.
Status check_combination(const SessionOptions& options) {
  if (options.roster.wait && !options.roster.follow) {
    return Error{ErrorKind::usage, "--wait with --follow false: who waits for a container follows it",
                 "leave one of them out"};
  }
  const MethodOptions& methods = options.roster.methods;
  const std::string method = std::string("--method ") + to_string(methods.method);
  if (methods.method == Method::sidecar && methods.sidecar_image.empty())
    return Error{ErrorKind::usage, method + " needs an image", "give it: --sidecar-image IMAGE"};
  if (methods.install_tool && (methods.method == Method::netns || methods.method == Method::sidecar))
    return Error{ErrorKind::usage, "--install-tool with " + method + ": nothing is run in the container", {}};
  if (methods.by_tool() && options.roster.points != Points::inside)
    return Error{ErrorKind::usage, method + " sees the inside of a container only", "leave --point out"};
  return ok();
}

class ArgumentWriter {
 public:
  ArgumentWriter(std::ostream& out, int first) : out_(out), number_(first) {}
  /// Begins one `arg`; finish it with done().
  Sentence begin(const char* call, const char* display, const char* type, const char* group,
                 const std::string& tooltip) {
    Sentence s("arg");
    s.with("number", number_).with("call", call).with("display", display).with("type", type);
    s.with("tooltip", tooltip).with("group", group);
    return s;
  }
  void done(const Sentence& s) {
    out_ << s;
    ++number_;
  }
  void value(const char* value, const char* display, bool is_default) {
    Sentence s("value");
    s.with("arg", number_ - 1).with("value", value).with("display", display);
    out_ << s.with("default", is_default ? "true" : "");
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  std::ostream& out_;
  int number_;
};

void write_what(ArgumentWriter& w) {
  w.done(w.begin("--links", "Several links", "string", "Capture",
                 "Names separated by commas, for example eth0,lo. Instead of the choice above")
             .with("placeholder", "eth0,lo"));
  w.done(w.begin("--point", "Where", "selector", "Capture",
                 "Inside the container, at its link's other end on the host, or both at once"));
  w.value("inside", "Inside the container", true);
  w.value("host", "On the host: the other end of its link", false);
  w.value("both", "Both: inside, and where its traffic enters the host", false);
  w.done(w.begin("--snaplen", "Bytes per packet", "unsigned", "Capture", "Longer packets are cut")
             .with("range", "1," + std::to_string(kMaxSnaplen))
             .with("default", std::to_string(LinkOptions{}.snaplen)));
  w.done(w.begin("--promiscuous", "Promiscuous mode", "boolean", "Capture",
                 "See frames that are not addressed to the container too")
             .with("default", "true"));
  w.done(
      w.begin("--nat", "Address translations", "selector", "Capture",
              "Record how the container's connections are translated on their way, so that both sides of one "
              "show both addresses"));
  w.value("on", "Record them, where permitted", true);
  w.value("off", "Do not look", false);
}

void write_follow(ArgumentWriter& w) {
  w.done(
      w.begin(
           "--follow", "Go on after a restart", "boolean", "Follow",
           "The capture goes on in the same file when the container restarts, and takes in containers that "
           "join the chosen pod or group")
          .with("default", "true"));
}

void write_drops(ArgumentWriter& w) {
  w.done(w.begin("--drops", "Dropped packets", "selector", "Drops",
                 "Packets that the kernel drops in the container, and on the host those of its addresses and "
                 "published ports, with the reason"));
  w.value("auto", "Shown where that is permitted", true);
  w.value("on", "Shown, or told why not", false);
  w.value("all", "Shown, also those that are no loss to anybody", false);
  w.value("off", "Not shown", false);
}

void write_method(ArgumentWriter& w) {
  w.done(w.begin("--method", "Method", "selector", "Method",
                 "How packets are obtained. Automatic: in the network namespace, or, where that is not "
                 "permitted, by a capture tool in the container or beside it"));
  w.value("auto", "Automatic", true);
  w.value("netns", "In the network namespace", false);
  w.value("exec", "By tcpdump or dumpcap in the container", false);
  w.value("sidecar", "By tcpdump in a container beside it", false);
  w.done(w.begin("--sidecar-image", "Image beside it", "string", "Method",
                 "An image with tcpdump that is on this machine. It gets CAP_NET_RAW and nothing else")
             .with("placeholder", "localhost/tcpdump:latest"));
  w.done(w.begin("--install-tool", "Install tcpdump in the container", "boolflag", "Method",
                 "When it has no capture tool: by its apt-get, apk or dnf. This changes the container")
             .with("default", "false"));
  w.done(w.begin("--all-host", "Host network: everything", "boolflag", "Method",
                 "For a container in the host's network: all traffic of the host, not only that of its ports")
             .with("default", "false"));
}

void write_buffers(ArgumentWriter& w) {
  // A text: Wireshark 4.0 takes an empty number for a wrong one and then lets nothing be saved, and a default
  // would be passed and end the sharing among many links.
  w.done(w.begin("--ring-size", "Kernel ring (MiB per link)", "string", "Buffers",
                 "Memory in which the kernel collects packets, 1 to " + std::to_string(kMaxRingMib) +
                     "; larger survives longer bursts. Empty: 32, less when there are many links")
             .with("validation", "^[1-9][0-9]*$")
             .with("placeholder", "32"));
  w.done(w.begin("--queue-size", "Queue (MiB)", "unsigned", "Buffers",
                 "Memory for packets that Wireshark has not taken yet")
             .with("range", "1,65536")
             .with("default", std::to_string(SessionOptions{}.queue_bytes >> 20U)));
}

}  // namespace

Status read_link_options(const OptionSource& source, SessionOptions& options) {
  for (const char* name : {"link", "links"}) add_links(source(name).value_or(""), options.link.links);
  std::uint64_t snaplen = options.link.snaplen;
  std::uint64_t ring_mib = options.link.ring_bytes >> 20U;
  std::uint64_t queue_mib = options.queue_bytes >> 20U;
  if (Status s = read_size(source, "snaplen", 1, kMaxSnaplen, snaplen); !s) return s;
  if (Status s = read_size(source, "ring-size", 1, kMaxRingMib, ring_mib); !s) return s;
  if (Status s = read_size(source, "queue-size", 1, 65536, queue_mib); !s) return s;
  if (Status s = read_flag(source, "promiscuous", options.link.promiscuous); !s) return s;
  if (Status s = read_flag(source, "follow", options.roster.follow); !s) return s;
  if (Status s = read_flag(source, "wait", options.roster.wait); !s) return s;
  if (Status s = read_flag(source, "start", options.start); !s) return s;
  if (Status s = read_drops(source, options.drops); !s) return s;
  if (Status s = read_points(source, options.roster.points); !s) return s;
  if (Status s = read_on_off(source, "nat", options.nat); !s) return s;
  if (Status s = read_methods(source, options.roster.methods); !s) return s;
  options.link.snaplen = static_cast<std::uint32_t>(snaplen);
  options.link.ring_bytes = ring_mib << 20U;
  options.queue_bytes = queue_mib << 20U;
  return check_combination(options);
}

void write_all_links_value(std::ostream& out, int number) {
  out << Sentence("value")
             .with("arg", number)
             .with("value", kAllLinks)
             .with("display", "All links")
             .with("default", "true");
}

int write_link_arguments(std::ostream& out, int first) {
  ArgumentWriter w(out, first);
  w.done(w.begin("--link", "Link", "selector", "Capture",
                 "The container's links; the reload button reads them. All are captured by default")
             .with("reload", "true")
             .with("placeholder", "Load links"));
  write_all_links_value(out, first);
  write_what(w);
  write_follow(w);
  write_drops(w);
  write_method(w);
  write_buffers(w);
  return w.number();
}

}  // namespace podshark::extcap
