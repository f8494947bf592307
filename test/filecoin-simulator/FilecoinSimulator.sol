// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// A simulator for tests: the parts of Filecoin Onchain Cloud's contracts (PDPVerifier, FilecoinWarmStorageService and its view,
// FilecoinPay, ServiceProviderRegistry, USDFC, Multicall3) that the Synapse SDK and the store's driver use, under their names and
// signatures, all at one address. What it takes seriously: pieces and their commitments, proofs of possession, proving periods,
// scheduled removals, metadata and its limits, lockup. What it does not: signatures (the simulated provider checks them), randomness
// (an epoch's is known before it), payments to anybody, CDN, upgrades.

abstract contract SimulatedMoney {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    string public constant name = "USD for Filecoin Community";
    string public constant symbol = "USDFC";
    uint8 public constant decimals = 18;

    struct Account { uint256 funds; uint256 lockupCurrent; uint256 lockupRate; uint256 lockupLastSettledAt; }
    struct Consent { bool isApproved; uint256 rateAllowance; uint256 lockupAllowance; uint256 rateUsage; uint256 lockupUsage; uint256 maxLockupPeriod; }
    mapping(address => Account) internal _accounts;
    mapping(address => Consent) internal _approvals;
    uint256 public lockupPeriod;

    event Approval(address indexed owner, address indexed spender, uint256 value);
    event DepositRecorded(address indexed token, address indexed from, address indexed to, uint256 amount);
    error InsufficientLockupFunds(address token, address from, uint256 available, uint256 required);
    error OperatorNotApproved(address from, address operator);

    function mint(address to, uint256 amount) external { balanceOf[to] += amount; }

    /// Everything that is not locked goes elsewhere.
    function spend(address owner) external {
        _settle(owner);
        _accounts[owner].funds = _accounts[owner].lockupCurrent;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function deposit(address token, address to, uint256 amount) external payable {
        allowance[msg.sender][address(this)] -= amount;
        balanceOf[msg.sender] -= amount;
        _settle(to);
        _accounts[to].funds += amount;
        emit DepositRecorded(token, msg.sender, to, amount);
    }

    function accounts(address, address owner) external view returns (uint256, uint256, uint256, uint256) {
        Account storage a = _accounts[owner];
        return (a.funds, a.lockupCurrent, a.lockupRate, a.lockupLastSettledAt);
    }

    function getAccountInfoIfSettled(address, address owner) external view returns (uint256 fundedUntilEpoch, uint256 currentFunds, uint256 availableFunds, uint256 currentLockupRate) {
        Account storage a = _accounts[owner];
        fundedUntilEpoch = _fundedUntil(a);
        uint256 settledAt = fundedUntilEpoch < block.number ? fundedUntilEpoch : block.number;
        uint256 locked = a.lockupCurrent + a.lockupRate * (settledAt - a.lockupLastSettledAt);
        return (fundedUntilEpoch, a.funds, a.funds - locked, a.lockupRate);
    }

    function operatorApprovals(address, address client, address) external view returns (bool, uint256, uint256, uint256, uint256, uint256) {
        Consent storage a = _approvals[client];
        return (a.isApproved, a.rateAllowance, a.lockupAllowance, a.rateUsage, a.lockupUsage, a.maxLockupPeriod);
    }

    function setOperatorApproval(address, address, bool approved, uint256 rate, uint256 lockup, uint256 period) external {
        _approvals[msg.sender] = Consent(approved, rate, lockup, 0, 0, period);
    }

    function _fundedUntil(Account storage a) internal view returns (uint256) {
        return a.lockupRate == 0 ? type(uint256).max : a.lockupLastSettledAt + (a.funds - a.lockupCurrent) / a.lockupRate;
    }

    function _settle(address owner) internal {
        Account storage a = _accounts[owner];
        uint256 until = _fundedUntil(a);
        uint256 settledAt = until < block.number ? until : block.number;
        a.lockupCurrent += a.lockupRate * (settledAt - a.lockupLastSettledAt);
        a.lockupLastSettledAt = settledAt;
    }

    function _changeRate(address owner, uint256 from, uint256 to) internal {
        if (!_approvals[owner].isApproved) revert OperatorNotApproved(owner, address(this));
        _settle(owner);
        Account storage a = _accounts[owner];
        if (to > from) {
            uint256 lockup = (to - from) * lockupPeriod;
            if (_fundedUntil(a) < block.number || a.funds - a.lockupCurrent < lockup) revert InsufficientLockupFunds(address(this), owner, a.funds - a.lockupCurrent, lockup);
            a.lockupCurrent += lockup;
            a.lockupRate += to - from;
        } else {
            a.lockupCurrent -= (from - to) * lockupPeriod;
            a.lockupRate -= from - to;
        }
    }
}

abstract contract SimulatedRegistry {
    struct Info { address serviceProvider; address payee; string name; string description; bool isActive; }
    struct Product { uint8 productType; string[] capabilityKeys; bool isActive; }
    struct WithProduct { uint256 providerId; Info providerInfo; Product product; bytes[] productCapabilityValues; }
    struct Page { WithProduct[] providers; bool hasMore; }
    WithProduct[] internal _providers;
    mapping(address => uint256) public getProviderIdByAddress;

    function register(address provider, string calldata title, string[] memory keys, bytes[] memory values) external {
        uint256 id = _providers.length + 1;
        WithProduct storage p = _providers.push();
        p.providerId = id;
        p.providerInfo = Info(provider, provider, title, "simulated", true);
        p.product.isActive = true;
        p.product.capabilityKeys = keys;
        p.productCapabilityValues = values;
        getProviderIdByAddress[provider] = id;
    }

    function getProviderWithProduct(uint256 id, uint8) external view returns (WithProduct memory) { return _providers[id - 1]; }

    function getProvidersByProductType(uint8, bool, uint256, uint256) external view returns (Page memory) {
        return Page(_providers, false);
    }

    function getApprovedProviders(uint256, uint256) external view returns (uint256[] memory ids) {
        ids = new uint256[](_providers.length);
        for (uint256 i = 0; i < ids.length; i++) ids[i] = i + 1;
    }

    /// No provider is endorsed, so that any may be the first.
    function getProviderIds() external pure returns (uint256[] memory) { return new uint256[](0); }
}

contract FilecoinSimulator is SimulatedMoney, SimulatedRegistry {
    struct Cid { bytes data; }
    struct Proof { bytes32 leaf; bytes32[] proof; }
    struct Call { address target; bool allowFailure; bytes callData; }
    struct Result { bool success; bytes returnData; }
    struct Info_ {
        uint256 pdpRailId; uint256 cacheMissRailId; uint256 cdnRailId; address payer; address payee; address serviceProvider;
        uint256 commissionBps; uint256 clientDataSetId; uint256 pdpEndEpoch; uint256 providerId; uint256 dataSetId;
    }
    struct Piece { bytes cid; uint256 leaves; uint256 height; bytes32 root; bool live; string[] keys; string[] values; }
    struct DataSet {
        Info_ info; bool live; uint256 rate; Piece[] pieces; uint256[] removals; uint256 leaves;
        uint256 range; uint256 pieceRange; uint256 nextChallenge; uint256 lastProven; uint256 deadline; uint256 activation; bool provenThis;
        string[] keys; string[] values;
    }

    uint256 public constant CHALLENGES = 5;
    uint64 public maxProvingPeriod;
    uint256 public challengeWindow;
    DataSet[] internal _sets;
    mapping(uint256 => mapping(uint256 => bool)) public provenPeriods;
    /// As FilecoinWarmStorageService keeps them: each number that a payer signs with is taken once, for creating and for adding.
    mapping(address => mapping(uint256 => uint256)) public clientNonces;

    event DataSetCreated(uint256 indexed setId, address indexed storageProvider);
    event PiecesAdded(uint256 indexed setId, uint256[] pieceIds);

    constructor(uint64 period, uint256 window, uint256 lockup) {
        maxProvingPeriod = period;
        challengeWindow = window;
        lockupPeriod = lockup;
        _sets.push(); // Ids start at 1.
    }

    modifier onlyProvider(uint256 setId) { require(_sets[setId].info.serviceProvider == msg.sender, "only the storage provider"); _; }
    modifier onlyLive(uint256 setId) { require(dataSetLive(setId), "Data set not live"); _; }

    // ---- PDPVerifier and FilecoinWarmStorageService: writing

    function addPieces(uint256 setId, address, Cid[] calldata cids, bytes calldata extraData) external payable returns (uint256) {
        bytes memory pieceData = extraData;
        if (setId == 0) {
            bytes memory createData;
            (createData, pieceData) = abi.decode(extraData, (bytes, bytes));
            setId = _create(createData);
        }
        DataSet storage s = _sets[setId];
        require(s.live && s.info.serviceProvider == msg.sender && s.info.pdpEndEpoch == 0, "Data set not live");
        (, string[][] memory keys, string[][] memory values,) = abi.decode(pieceData, (uint256, string[][], string[][], bytes));
        _take(s.info.payer, abi.decode(pieceData, (uint256)), ((s.pieces.length + cids.length) << 128) | setId);
        uint256[] memory ids = new uint256[](cids.length);
        for (uint256 i = 0; i < cids.length; i++) ids[i] = _addPiece(s, cids[i].data, keys[i], values[i]);
        _charge(s);
        emit PiecesAdded(setId, ids);
        return ids[0];
    }

    function _create(bytes memory extraData) internal returns (uint256 setId) {
        (address payer, uint256 clientDataSetId, string[] memory keys, string[] memory values,) =
            abi.decode(extraData, (address, uint256, string[], string[], bytes));
        _take(payer, clientDataSetId, _sets.length);
        _settle(payer);
        _accounts[payer].funds -= 0.1 ether; // The fee that keeps anybody from creating data sets without end.
        setId = _sets.length;
        DataSet storage s = _sets.push();
        s.live = true;
        s.keys = keys;
        s.values = values;
        s.info = Info_(setId, 0, 0, payer, msg.sender, msg.sender, 0, clientDataSetId, 0, getProviderIdByAddress[msg.sender], setId);
        emit DataSetCreated(setId, msg.sender);
    }

    function _take(address payer, uint256 nonce, uint256 value) internal {
        require(clientNonces[payer][nonce] == 0, "ClientDataSetAlreadyRegistered");
        clientNonces[payer][nonce] = value;
    }

    function _addPiece(DataSet storage s, bytes memory cid, string[] memory keys, string[] memory values) internal returns (uint256 id) {
        require(keys.length <= 5 && keys.length == values.length, "TooManyMetadataKeys");
        for (uint256 i = 0; i < keys.length; i++) {
            require(bytes(keys[i]).length <= 32 && bytes(values[i]).length <= 128, "MetadataTooLong");
        }
        id = s.pieces.length;
        Piece storage p = s.pieces.push();
        p.cid = cid;
        (p.leaves, p.height, p.root) = _parse(cid);
        p.live = true;
        p.keys = keys;
        p.values = values;
        s.leaves += p.leaves;
    }

    /// CID version 1, raw, fr32-sha2-256-trunc254-padded-binary-tree: padding as a varint, height, root.
    function _parse(bytes memory cid) internal pure returns (uint256 leaves, uint256 height, bytes32 root) {
        require(cid.length > 38 && cid[0] == 0x01 && cid[1] == 0x55 && cid[2] == 0x91 && cid[3] == 0x20, "not a piece CID");
        uint256 cursor = 5;
        uint256 padding = 0;
        for (uint256 shift = 0; ; shift += 7) {
            uint8 b = uint8(cid[cursor++]);
            padding |= uint256(b & 0x7f) << shift;
            if (b < 0x80) break;
        }
        height = uint8(cid[cursor++]);
        require(cid.length == cursor + 32, "not a piece CID");
        assembly { root := mload(add(add(cid, 32), cursor)) }
        uint256 raw = ((32 << height) / 128) * 127 - padding;
        leaves = ((raw * 128 + 126) / 127 + 31) / 32;
    }

    function _charge(DataSet storage s) internal {
        uint256 bytes_ = s.leaves * 32;
        uint256 byMonth = (bytes_ * 2.5 ether) / (1 << 40);
        if (byMonth < 0.06 ether) byMonth = 0.06 ether;
        uint256 rate = s.leaves == 0 ? 0 : byMonth / 86400;
        _changeRate(s.info.payer, s.rate, rate);
        s.rate = rate;
    }

    function schedulePieceDeletions(uint256 setId, uint256[] calldata ids, bytes calldata) external onlyProvider(setId) onlyLive(setId) {
        for (uint256 i = 0; i < ids.length; i++) {
            require(pieceLive(setId, ids[i]), "piece not live");
            _sets[setId].removals.push(ids[i]);
        }
    }

    function nextProvingPeriod(uint256 setId, uint256 challengeEpoch, bytes calldata) external onlyProvider(setId) onlyLive(setId) {
        DataSet storage s = _sets[setId];
        require(s.leaves > 0, "can only start proving once leaves are added");
        if (s.deadline == 0) {
            s.activation = block.number;
            s.deadline = block.number + maxProvingPeriod;
            s.lastProven = block.number; // As the real one does: it looks proven before it ever was.
        } else {
            require(s.provenThis || block.number > s.deadline, "NextProvingPeriodAlreadyCalled");
            s.deadline += maxProvingPeriod;
            while (s.deadline < block.number) s.deadline += maxProvingPeriod;
        }
        s.provenThis = false;
        for (uint256 i = 0; i < s.removals.length; i++) {
            Piece storage p = s.pieces[s.removals[i]];
            if (p.live) { p.live = false; s.leaves -= p.leaves; }
        }
        delete s.removals;
        s.range = s.leaves;
        s.pieceRange = s.pieces.length;
        require(challengeEpoch >= s.deadline - challengeWindow && challengeEpoch <= s.deadline, "InvalidChallengeEpoch");
        s.nextChallenge = s.leaves == 0 ? 0 : challengeEpoch;
        _charge(s);
    }

    function provePossession(uint256 setId, Proof[] calldata proofs) external payable onlyProvider(setId) onlyLive(setId) {
        DataSet storage s = _sets[setId];
        require(s.nextChallenge != 0 && block.number >= s.nextChallenge, "premature proof");
        require(block.number <= s.deadline, "ProvingPeriodPassed");
        require(proofs.length == CHALLENGES, "InvalidChallengeCount");
        for (uint256 i = 0; i < CHALLENGES; i++) {
            (uint256 id, uint256 offset) = _find(s, challenged(setId, i));
            bytes32 node = proofs[i].leaf;
            require(proofs[i].proof.length == s.pieces[id].height, "proof length does not match tree height");
            for (uint256 level = 0; level < proofs[i].proof.length; level++) {
                bytes32 other = proofs[i].proof[level];
                node = (offset >> level) & 1 == 0 ? _parent(node, other) : _parent(other, node);
            }
            require(node == s.pieces[id].root, "proof did not verify");
        }
        s.lastProven = block.number;
        s.provenThis = true;
        provenPeriods[setId][(s.deadline - s.activation) / maxProvingPeriod - 1] = true;
    }

    function _parent(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(left, right)) & bytes32(uint256(type(uint256).max) ^ 0xc0);
    }

    function challenged(uint256 setId, uint256 number) public view returns (uint256) {
        DataSet storage s = _sets[setId];
        return uint256(keccak256(abi.encode(s.nextChallenge, setId, number))) % s.range;
    }

    function _find(DataSet storage s, uint256 leaf) internal view returns (uint256, uint256) {
        for (uint256 id = 0; id < s.pieces.length; id++) {
            if (!s.pieces[id].live) continue;
            if (leaf < s.pieces[id].leaves) return (id, leaf);
            leaf -= s.pieces[id].leaves;
        }
        revert("leaf out of bounds");
    }

    function terminateService(uint256 setId) external {
        DataSet storage s = _sets[setId];
        require(msg.sender == s.info.payer || msg.sender == s.info.serviceProvider, "CallerNotPayerOrPayee");
        require(s.info.pdpEndEpoch == 0, "DataSetPaymentAlreadyTerminated");
        s.info.pdpEndEpoch = block.number + lockupPeriod;
        _settle(s.info.payer);
        _accounts[s.info.payer].lockupRate -= s.rate;
        s.rate = 0;
    }

    /// After the end of a terminated data set the provider takes it off the chain.
    function deleteDataSet(uint256 setId, bytes calldata) external onlyProvider(setId) {
        require(_sets[setId].info.pdpEndEpoch != 0 && block.number > _sets[setId].info.pdpEndEpoch, "payment rails have not finalized");
        _sets[setId].live = false;
    }

    // ---- Reading

    function dataSetLive(uint256 id) public view returns (bool) { return id != 0 && id < _sets.length && _sets[id].live; }
    function getDataSetListener(uint256) external view returns (address) { return address(this); }
    function getNextPieceId(uint256 id) external view onlyLive(id) returns (uint256) { return _sets[id].pieces.length; }
    function getDataSetLeafCount(uint256 id) external view onlyLive(id) returns (uint256) { return _sets[id].leaves; }
    function getNextChallengeEpoch(uint256 id) external view onlyLive(id) returns (uint256) { return _sets[id].nextChallenge; }
    function getDataSetLastProvenEpoch(uint256 id) external view onlyLive(id) returns (uint256) { return _sets[id].lastProven; }
    function getScheduledRemovals(uint256 id) external view onlyLive(id) returns (uint256[] memory) { return _sets[id].removals; }
    function pieceLive(uint256 id, uint256 piece) public view returns (bool) {
        return dataSetLive(id) && piece < _sets[id].pieces.length && _sets[id].pieces[piece].live;
    }
    function pieceChallengable(uint256 id, uint256 piece) external view returns (bool) {
        return pieceLive(id, piece) && piece < _sets[id].pieceRange;
    }
    function getPieceCid(uint256 id, uint256 piece) external view onlyLive(id) returns (Cid memory) { return Cid(_sets[id].pieces[piece].cid); }
    function getActivePieceCount(uint256 id) external view returns (uint256 count) {
        for (uint256 i = 0; i < _sets[id].pieces.length; i++) if (_sets[id].pieces[i].live) count++;
    }

    function getActivePiecesByCursor(uint256 id, uint256 start, uint256 limit) external view onlyLive(id) returns (Cid[] memory cids, uint256[] memory ids, bool hasMore) {
        DataSet storage s = _sets[id];
        (cids, ids) = (new Cid[](limit), new uint256[](limit));
        uint256 found = 0;
        for (uint256 i = start; i < s.pieces.length; i++) {
            if (!s.pieces[i].live) continue;
            if (found == limit) { hasMore = true; break; }
            (cids[found], ids[found++]) = (Cid(s.pieces[i].cid), i);
        }
        assembly { mstore(cids, found) mstore(ids, found) }
    }

    function getAllPieceMetadata(uint256 id, uint256 piece) external view returns (string[] memory, string[] memory) {
        Piece storage p = _sets[id].pieces[piece];
        return p.live ? (p.keys, p.values) : (new string[](0), new string[](0));
    }
    function getAllDataSetMetadata(uint256 id) external view returns (string[] memory, string[] memory) { return (_sets[id].keys, _sets[id].values); }
    function getDataSet(uint256 id) external view returns (Info_ memory) { return _sets[id].info; }

    function getClientDataSets(address client, uint256 offset, uint256 limit) external view returns (Info_[] memory infos) {
        infos = new Info_[](limit);
        uint256 found = 0;
        for (uint256 id = 1; id < _sets.length && found < limit; id++) {
            if (_sets[id].info.payer != client) continue;
            if (offset > 0) offset--;
            else infos[found++] = _sets[id].info;
        }
        assembly { mstore(infos, found) }
    }

    function getPDPConfig() external view returns (uint64, uint256, uint256, uint256) {
        return (maxProvingPeriod, challengeWindow, CHALLENGES, block.number + maxProvingPeriod - challengeWindow);
    }
    function provenThisPeriod(uint256 id) external view returns (bool) { return _sets[id].provenThis; }
    function provingDeadline(uint256 id) external view returns (uint256) { return _sets[id].deadline; }
    function provingActivationEpoch(uint256 id) external view returns (uint256) { return _sets[id].activation; }
    function findLeaf(uint256 id, uint256 leaf) external view returns (uint256, uint256) { return _find(_sets[id], leaf); }

    function aggregate3(Call[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(calls[i].allowFailure || results[i].success, "Multicall3: call failed");
        }
    }
}
