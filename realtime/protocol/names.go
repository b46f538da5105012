package protocol

// Up to this many members a list is searched faster than a map is made.
const fewMembers = 16

// names is the set of members seen in one object. It stays linear: an object
// made of 40,000 members costs 40,000 look-ups.
type names struct {
	few  []string
	many map[string]struct{}
}

func (n *names) has(name string) bool {
	if n.many != nil {
		_, ok := n.many[name]
		return ok
	}
	for _, known := range n.few {
		if known == name {
			return true
		}
	}
	return false
}

func (n *names) add(name string) {
	if n.many == nil && len(n.few) < fewMembers {
		n.few = append(n.few, name)
		return
	}
	if n.many == nil {
		n.many = make(map[string]struct{}, 4*fewMembers)
		for _, known := range n.few {
			n.many[known] = struct{}{}
		}
	}
	n.many[name] = struct{}{}
}
