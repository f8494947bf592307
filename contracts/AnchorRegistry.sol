// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Witness of transparency logs: by which block a log had which size and root.
/// @notice A record is never changed and never deleted. The contract cannot be upgraded, holds no funds and calls no other contract.
/// The owner decides who may submit, and nothing else: not even the owner can alter what is recorded.
contract AnchorRegistry {
    struct Record {
        bytes32 root;
        uint64 blockNumber;
        uint64 time;
    }

    /// @notice SHA-256 of the log's origin → size of the log → what was recorded.
    mapping(bytes32 logId => mapping(uint64 size => Record)) private records;
    /// @notice The largest size recorded of each log.
    mapping(bytes32 logId => uint64 size) public latestSize;
    mapping(address account => bool) public isSubmitter;
    address public owner;
    /// @notice The account that may accept the ownership.
    address public nextOwner;

    event Anchored(bytes32 indexed logId, uint64 indexed size, bytes32 root);
    event SubmitterChanged(address indexed account, bool allowed);
    event OwnershipOffered(address indexed owner, address indexed nextOwner);
    event OwnershipTaken(address indexed before, address indexed owner);

    error NotOwner();
    error NotNextOwner();
    error NotSubmitter();
    /// @notice A size was named that is not above the largest one recorded.
    error SizeNotGrowing(uint64 latestSize);
    /// @notice This size is recorded with another root: the log has forked.
    error RootDiffers(bytes32 recordedRoot);
    error Empty();

    modifier onlyOwner() {
        require(msg.sender == owner, NotOwner());
        _;
    }

    /// @param submitter may submit from the start; the zero address for nobody.
    constructor(address submitter) {
        owner = msg.sender;
        emit OwnershipTaken(address(0), msg.sender);
        if (submitter != address(0)) _allow(submitter, true);
    }

    /// @notice Records a checkpoint. The same checkpoint again changes nothing and emits nothing.
    function submit(bytes32 logId, uint64 size, bytes32 root) external {
        require(isSubmitter[msg.sender], NotSubmitter());
        require(size != 0 && root != 0, Empty());
        uint64 latest = latestSize[logId];
        if (size <= latest) {
            bytes32 recorded = records[logId][size].root;
            require(recorded != 0, SizeNotGrowing(latest));
            require(recorded == root, RootDiffers(recorded));
            return;
        }
        latestSize[logId] = size;
        records[logId][size] = Record(root, uint64(block.number), uint64(block.timestamp));
        emit Anchored(logId, size, root);
    }

    /// @return root zero when this size is not recorded
    /// @return blockNumber in which it was recorded
    /// @return time of that block, in seconds since 1970
    function anchored(bytes32 logId, uint64 size) external view returns (bytes32 root, uint64 blockNumber, uint64 time) {
        Record storage record = records[logId][size];
        return (record.root, record.blockNumber, record.time);
    }

    /// @notice Whether an entry is in the log, by a recorded checkpoint and an inclusion proof of RFC 6962 (section 2.1.1), so that other
    /// contracts can act on what was logged. Needs no allowance and changes nothing.
    /// @param leafHash SHA-256 of a zero byte and the entry
    /// @param proof hashes from the leaf's sibling up to the root's child
    function includes(bytes32 logId, uint64 size, uint64 index, bytes32 leafHash, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        bytes32 root = records[logId][size].root;
        return root != 0 && index < size && _rootOf(leafHash, index, size - 1, proof) == root;
    }

    /// RFC 9162, section 2.1.3.2: the root that the proof leads to, zero when the proof is too long or too short.
    function _rootOf(bytes32 leafHash, uint64 node, uint64 last, bytes32[] calldata proof) private pure returns (bytes32 hash) {
        hash = leafHash;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (last == 0) return 0;
            if (node & 1 == 1 || node == last) {
                hash = _nodeHash(proof[i], hash);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = _nodeHash(hash, proof[i]);
            }
            node >>= 1;
            last >>= 1;
        }
        if (last != 0) return 0;
    }

    /// By the chain's own SHA-256 (precompile 2).
    function _nodeHash(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    function setSubmitter(address account, bool allowed) external onlyOwner {
        _allow(account, allowed);
    }

    /// @notice First of two steps: nothing changes until the next owner accepts. The zero address takes the offer back.
    // slither-disable-next-line missing-zero-check
    function offerOwnership(address account) external onlyOwner {
        nextOwner = account;
        emit OwnershipOffered(owner, account);
    }

    function acceptOwnership() external {
        require(msg.sender == nextOwner, NotNextOwner());
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        nextOwner = address(0);
    }

    function _allow(address account, bool allowed) private {
        isSubmitter[account] = allowed;
        emit SubmitterChanged(account, allowed);
    }
}
