// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/stream_plan.h"
#include "extcap/kube/node_pod.h"
#include "extcap/kube/pod_name.h"

namespace podshark::extcap::kube {

/// Everything that the ways of getting packets out of a pod need to know.
struct WaysRequest {
  Cluster cluster;
  std::string name_space;
  std::string pod;
  std::vector<std::string> containers;  ///< that run, best first; all of a pod have one network
  StreamSpec spec;
  /// podshark-agent, packed, for machines of that kind (remote/agent_file.h); none: it is not tried.
  std::function<Result<std::string>(const std::string& machine)> agent = {};
  std::string image = {};      ///< with podshark-agent in it, for an ephemeral container; empty: none
  std::string ephemeral = {};  ///< what that container is to be called
  bool idles = false;          ///< it runs already
  NodePod node = {};           ///< the last of the ways, where it has an image
};
inline constexpr const char* kEphemeral = "podshark-agent";

/// How packets are had from one pod, best first: a capture program in one of its containers, through kubectl
/// exec; podshark-agent, sent into one that has a shell and a directory for it; an ephemeral container of an
/// image that has it; a privileged pod on its node that enters its network. Whoever is refused by the API
/// server is told at once, by verb and resource: another way would need the same. Pure, but for the agent's
/// file.
class PodWays final : public StreamWays {
 public:
  explicit PodWays(WaysRequest request);

  [[nodiscard]] const StreamSpec& spec() const override { return request_.spec; }
  /// Its words are those of a program of this machine, under a lease with beats on its stdin.
  [[nodiscard]] Step first() override;
  [[nodiscard]] Step after(const End& end) override;
  [[nodiscard]] Error error_of(const End& end) const override;
  [[nodiscard]] std::optional<Error> before() const override { return why_; }

 private:
  struct Way {
    enum class Kind { tool, sent, debug, wait, idle, make, made, node_tool, node_sent } kind = Kind::tool;
    std::string container;
    std::string tool = {};
    std::string machine = {};
  };
  [[nodiscard]] Step next(const Error& otherwise);
  [[nodiscard]] Step step_of(const Way& way);
  [[nodiscard]] Argv exec(const std::string& container, const Argv& inside) const;
  [[nodiscard]] Step debug(const std::string& container) const;
  [[nodiscard]] Step wait(const std::string& container) const;
  [[nodiscard]] Step make() const;
  [[nodiscard]] Step made() const;
  [[nodiscard]] Step sent(const Way& way);
  [[nodiscard]] bool by_node() const;
  [[nodiscard]] Step command_ended(Error error);
  [[nodiscard]] std::string pod() const;
  [[nodiscard]] std::string where() const;
  [[nodiscard]] Error conclusion() const;
  void another_tool(const End& end);

  WaysRequest request_;
  std::deque<Way> left_;
  Way now_;
  std::optional<Error> why_;  // those before did not do
};

/// The same words as those of a Channel (remote/line.h) want them: the marker comes first, then the program's
/// output.
[[nodiscard]] std::vector<std::string> with_marker(const std::vector<std::string>& argv);

}  // namespace podshark::extcap::kube
