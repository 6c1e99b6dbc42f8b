// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/firewall/ways.h"

#include <algorithm>

namespace podshark::firewall {
namespace {

class Ways {
 public:
  Ways(const ChainIndex& index, std::size_t& work, const std::function<void(const Found&)>& visit)
      : index_(index), work_(work), visit_(visit) {}

  // Recursion as deep as the kernel lets rules jump.
  void chain(const Chain& c, const Conditions& so_far, const std::string& comment, std::size_t depth) {
    for (const Rule& r : c.rules) {
      if (++work_ > kMaxQueryWork) return;
      if (!r.statements.empty()) rule(c, r, so_far, comment, depth);
    }
  }

 private:
  void rule(const Chain& c, const Rule& r, Conditions conditions, const std::string& comment,
            std::size_t depth) {
    std::size_t matched = 0;
    const std::string& mine = r.comment.empty() ? comment : r.comment;
    for (const Statement& s : r.statements) {
      for (; matched < std::min(s.after, r.matches.size()); ++matched) {
        work_ += r.matches[matched].rows();
        conditions.add(r.matches[matched]);
      }
      if (conditions.impossible) return;
      statement({&c, &r}, s, conditions, mine, depth);
    }
  }

  void statement(const Place& at, const Statement& s, const Conditions& conditions,
                 const std::string& comment, std::size_t depth) {
    for (std::size_t row = 0; row < s.results.size(); ++row) {
      if (++work_ > kMaxQueryWork) return;
      Conditions narrower = conditions;
      narrower.add(s.key, row);
      if (!narrower.impossible) statement(at, s.results[row], narrower, comment, depth);
    }
    if (!s.results.empty()) return;
    if (s.action != Action::jump && s.action != Action::go_to) return visit_({at, s, conditions, comment});
    const Chain* to = index_.find(*at.chain, s.target);
    if (to == nullptr || depth >= kMaxJumps) return visit_({at, s, conditions, comment});
    visit_({at, s, conditions, comment});
    chain(*to, conditions, comment, depth + 1);
  }

  const ChainIndex& index_;
  std::size_t& work_;
  const std::function<void(const Found&)>& visit_;
};

}  // namespace

void each_way(const ChainIndex& index, const Chain& base, std::size_t& work,
              const std::function<void(const Found&)>& visit) {
  Conditions start;
  if (base.family == Family::ip || base.family == Family::ip6) start.family = base.family;
  Ways(index, work, visit).chain(base, start, {}, 0);
}

}  // namespace podshark::firewall
