package roster

import "errors"

// Why an entry, a choice or an approval is refused. Errors wrap one of these
// and say which member, how many or what to do.
var (
	// ErrParent: the entry before it is not known. Ask for earlier ones.
	ErrParent = errors.New("the entry before it is not known; fetch the roster from an earlier generation")

	// ErrFuture: it may be good later.
	ErrFuture = errors.New("its time is ahead of this machine's clock; check the clocks of both machines")

	ErrWorld      = errors.New("it belongs to another world")
	ErrVersion    = errors.New("its version is not known; a newer program is needed")
	ErrForm       = errors.New("it is not formed as the roster demands")
	ErrGeneration = errors.New("its generation does not follow that of its parent")
	ErrTime       = errors.New("its time or epoch cannot be")
	ErrSignature  = errors.New("a signature does not verify")
	ErrProposer   = errors.New("its proposer may not propose")
	ErrApproval   = errors.New("it is not approved by those it takes")
	ErrExpired    = errors.New("an approval has expired or is good for too long")
	ErrYoung      = errors.New("a voucher was vouched for itself, too short a time ago")
	ErrVouches    = errors.New("a voucher has vouched for as many as one may")
	ErrTicket     = errors.New("the newcomer's ticket is missing or not good")
	ErrRemoved    = errors.New("the key was removed, so it decides nothing any more")
	ErrMember     = errors.New("the key is a member already")
	ErrNotMember  = errors.New("the key is not a member")
	ErrWrapKey    = errors.New("the wrap key cannot be used")
	ErrFull       = errors.New("the roster is full")
	ErrQuorum     = errors.New("it would leave fewer than it takes to decide")
	ErrMaster     = errors.New("its master is that of an earlier generation")
	ErrRotation   = errors.New("it is too early for a rotation")
	ErrOpen       = errors.New("worlds of mode open need the chain, which this program does not have yet; choose closed or vouch")
	ErrFounders   = errors.New("the world file names no founders, so nobody can be admitted; use a world with a charter")
	ErrProvider   = errors.New("it stands as a provider, and providers are no members")
	ErrBranches   = errors.New("the roster has forked too often at that parent")
	ErrForked     = errors.New("the roster has forked; founders have to choose a branch first")

	// ErrStale: make the entry anew, after the new head.
	ErrStale = errors.New("another entry came after the same parent")

	// ErrBox: a sealed box does not open, or holds something else than its entry
	// says.
	ErrBox = errors.New("the box is not for us or does not hold the master of its entry")

	// ErrNoMaster: the key of an epoch is of a generation that we do not have.
	ErrNoMaster = errors.New("the group's master of that generation is not here")

	// ErrSigned: a directory signer signs one entry for each parent.
	ErrSigned = errors.New("another entry was signed for that parent")

	// ErrDamaged is wrapped when a file cannot be what was written.
	ErrDamaged = errors.New("damaged")

	// ErrDisk is wrapped when this machine could not keep an entry, its boxes or a
	// choice, for which who sent it is not to blame.
	ErrDisk = errors.New("keeping the roster")

	// ErrBroken: a write failed and could not be undone; open the chain again.
	ErrBroken = errors.New("an earlier write failed half way; restart the program")
)
