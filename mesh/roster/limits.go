package roster

import "time"

// Bounds of what members can put into everybody's roster.
const (
	// MaxMembers bounds a world's members: each entry seals one box for each, and
	// 4,096 boxes are still less than half a MiB.
	MaxMembers = 4096

	// MaxChanges bounds an entry's changes: founding a world with more members
	// takes a second entry.
	MaxChanges = 64

	// MaxApprovals bounds a change's approvals: four times the founders that
	// sign at most, so that a large world may show more support than it must.
	MaxApprovals = 64

	// MaxOperator bounds an operator's tag, which is shown in tables.
	MaxOperator = 32

	// MaxEntry bounds an entry's canonical bytes. Sixty-four changes with seven
	// approvals each fill it, or ten with all the approvals there may be.
	MaxEntry = 64 << 10

	// maxSignatures bounds an entry's signatures: all directory signers that a
	// charter may have, and the proposer.
	maxSignatures = 17

	// maxBranches bounds the entries that are kept of one parent. Two prove the
	// fork; more only matter if founders choose one of them, which is then taken.
	maxBranches = 8

	// maxChoices bounds the choices kept of one fork.
	maxChoices = 8
)

// Times of the rules.
const (
	// MaxSkew is how much the clock of a proposer may be ahead of ours.
	MaxSkew = 30 * time.Second

	// MasterLife is how long a generation's master is used: whoever stole one
	// reads no longer than that.
	MasterLife = 24 * time.Hour

	// MinRotation is how old a generation must be for signers to rotate it
	// without a change of members: half of MasterLife, so that clocks and
	// schedules may differ and nobody can fill the roster.
	MinRotation = MasterLife / 2

	// ApprovalLife is how long an approval is good, at least one epoch: founders
	// are people, and a week has all of them at their keys once.
	ApprovalLife = 7 * 24 * time.Hour

	// VouchWindow and MaxVouches bound what one member brings in: three in thirty
	// days.
	VouchWindow = 30 * 24 * time.Hour
	MaxVouches  = 3

	// VouchAge is how long a member that was vouched for waits until it vouches. Three
	// could else let in three, they three more, and so on, until a day later all
	// places are taken by one.
	VouchAge = VouchWindow
	// MinVouchers is how many members of different operators it takes.
	MinVouchers = 3
)

// Bounds of invites and of joining.
const (
	// InviteLife is how long an invite may be used.
	InviteLife = 24 * time.Hour

	// MaxAttempts is how many wrong phrases an invite survives. Typing errors are
	// found by the phrase's own checksum, so who fails five times is guessing.
	MaxAttempts = 5

	// maxInvites bounds open invites, and those used that are remembered.
	maxInvites = 1024

	// maxPending bounds admissions that wait for approvals.
	maxPending = 1024

	// invitePayload is the random part of a phrase: 64 bits make six words and
	// one of checksum. Five guesses online find nothing, and whoever recorded a
	// proof needs 2^64 computations of scrypt.
	invitePayload = 8

	// MaxInviteAddrs bounds an inviter's addresses in an invite.
	MaxInviteAddrs = 8

	// MaxInviteFile bounds an invite: a world file and some lines around it.
	MaxInviteFile = 68 << 10

	// MaxSheetFile bounds a petition as a file: a world file, and in hexadecimal a
	// change with all the approvals there may be.
	MaxSheetFile = 96 << 10

	// MaxRequest bounds a request to join: a member, a ticket, an approval,
	// three proofs.
	MaxRequest = 1 << 10

	// MaxAnswer bounds the answer to it, which carries the roster from its
	// beginning: 4,096 admissions of one member each are a sixth of it.
	MaxAnswer = 16 << 20
)

// Parameters of scrypt for an invite's phrase: as for tickets. A phrase has
// 64 random bits, so a newcomer's phone must not be made to wait.
const (
	phraseN = 1 << 14
	phraseR = 8
	phraseP = 1
)

// Bounds of files.
const (
	// maxChainFile bounds roster.chain: some fifty thousand entries.
	maxChainFile = 64 << 20

	// maxRecord bounds one record of it: the largest entry and its signatures.
	maxRecord = MaxEntry + 4<<10

	// maxMasters bounds the masters in a keyring. A horizon has two rotations a
	// day and an entry per change; older ones are erased.
	maxMasters = 16 << 10

	// maxKeyFile bounds group.keys, which holds maxMasters.
	maxKeyFile = 2 << 20

	// maxBoxes bounds the boxes of one entry.
	maxBoxes = MaxMembers*(32+boxSize) + 256
)
