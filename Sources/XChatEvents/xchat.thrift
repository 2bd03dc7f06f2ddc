/*
 * The wire schema of X Chat: TBinaryProtocol, bare structs, no message header.
 *
 * script/generate-events turns this file into Sources/XChatEvents/Generated. A new field of X is one line here, then a
 * run of that script. Names are X's; they carry no meaning on the wire, but error paths and `xchat inspect` show them.
 * Numbers that are marked retired or unknown must not get a new meaning: otherwise other clients would misread them.
 *
 * `string` is UTF-8, `binary` raw bytes, an enum an i32 whose unknown numbers are kept. A field that does not say
 * `required` is absent when it is not written; there are no defaults. Doc comments become those of the Swift types.
 *
 * Annotations:
 *   root = "true"     on a type: it can be decoded and encoded by itself, as public API.
 *   file = "Name"     on a type: from here on types go to Generated/Name.swift.
 *   opaque = "true"   on a field: its structs are kept in their encoded form, and decoded on request.
 */

/** What an operation on a group's ratchet tree did. */
enum GroupOpType {
  GenGroup = 1,
  Edit = 6
}

/** A member of a ratchet tree. */
struct Member {
  1: required i64 userId,
  2: required i64 keyVersion
} (file = "Trees")

/** A public key of a ratchet tree. */
struct PubKeyBytes {
  1: required binary pubKeyBytes
}

/** The public keys of a member of a ratchet tree. */
struct MemberKeyInfo {
  1: optional binary identityPublicKey,
  2: optional binary signingPublicKey,
  3: optional binary identityKeySignature
}

/** The key of a node of a ratchet tree. */
struct TreeKeyData {
  1: required PubKeyBytes publicKey,
  2: required binary subTreeHash
}

/** A node of a ratchet tree. */
struct TreeNode {
  1: optional Member member,
  2: optional TreeKeyData keyData,
  3: optional map<binary, binary> nodeSecretKeyEncryptions
}

/** A node of a ratchet tree, or the gap where one was. */
struct MaybeTreeNode {
  1: optional TreeNode node
}

/** The creation of a ratchet tree. */
struct GenGroupOpData {
  1: optional map<i32, map<binary, binary>> updateMap,
  2: optional map<i32, binary> newPathPks,
  3: optional list<Member> initialMembers
}

/** A change of a ratchet tree. */
struct EditOpData {
  1: optional map<i32, map<binary, binary>> updateMap,
  2: optional map<i32, binary> newPathPks,
  3: optional list<Member> membersLeft,
  4: optional list<Member> membersToAdd,
  5: optional list<Member> membersUpdated,
  6: optional list<MaybeTreeNode> fullTreeList
}

/** One operation on a ratchet tree. */
union TypeData {
  1: GenGroupOpData genGroup,
  6: EditOpData edit
}

/** The ratchet tree that a key change event may contain. */
struct GroupOpData {
  1: optional string groupId,
  2: optional i64 treeVersion,
  3: optional Member actionBy,
  4: optional TypeData typeData,
  // 5: retired, never shipped (map<i64, string> of member public keys)
  6: optional map<i64, MemberKeyInfo> memberKeyInfo
} (root = "true")


/** The queue that the server puts an event into. */
enum EventQueuePriority {
  A = 1,
  B = 2,
  C = 3,
  D = 4,
  E = 5
}

/** What a recipient is asked to do in addition to showing a message. */
enum AdditionalAction {
  FETCH_CONV_IF_MISSING_CKEY = 0
}

/** Why the server refused an event. */
enum FailureType {
  EMPTY_DETAIL = 1,
  INTERNAL_ERROR = 2,
  CONTENTS_TOO_LARGE = 3,
  TOO_MANY_MESSAGES = 4,
  INVALID_SENDER_SIGNATURE = 5,
  NON_LATEST_CKEY_VERSION = 6,
  RECIPIENT_HAS_NOT_TRUSTED_CONVERSATION = 7,
  RECIPIENT_KEY_HAS_CHANGED = 8,
  ONLY_ENCRYPTED_MESSAGES_ALLOWED = 9,
  REQUESTER_NOT_ADMIN = 10,
  FLAGGED_AS_SPAM = 11,
  RATE_LIMIT_UPSELL = 12,
  SIGNATURE_FAILED_TO_VERIFY_AGAINST_PUBLIC_KEY = 13,
  GENERIC_ERROR = 14,
  SENDER_NOT_GROUP_MEMBER = 15,
  INVALID_SIGNATURE_VERSION = 16,
  INVALID_PIN_REQUEST = 17,
  TOO_MANY_PINS = 18
}

/** The account tier whose limit a sender hit. */
enum RateLimitTier {
  FREE = 1,
  VERIFIED_PHONE = 2,
  PREMIUM = 3,
  PREMIUM_PLUS = 4,
  PREMIUM_BUSINESS = 5
}

/** For whom messages are deleted. */
enum DeleteMessageAction {
  DELETE_FOR_SELF = 1,
  DELETE_FOR_ALL = 2
}

/** How the server delivered an event. */
enum MessageEventRelaySource {
  LiveFanout = 0,
  MessagePull = 1,
  LegacyFanout = 2,
  ReboundEvent = 3
}

/** The state of the enrolment of a device. */
enum DeviceEnrollmentStatus {
  PENDING_ACCEPTANCE = 0,
  ACCEPTED = 1,
  KEY_EXCHANGED = 2,
  KEYS_SENT = 3,
  COMPLETED = 4,
  DENIED = 5
}

/** Data with which a recipient can report a message to the server. */
struct FrankingData {
  1: optional binary franking_tag,
  2: optional binary encrypted_nonce,
  // 3: retired (a single binary media hash, superseded by 4)
  4: optional list<binary> encrypted_media_hashes
} (file = "Events")

/** A message, whose contents are encrypted if there is a key version. */
struct MessageCreateEvent {
  /** an encoded ``MessageEntryHolder``, encrypted under the conversation key */
  100: optional binary contents,
  /** absent when the contents are not encrypted */
  101: optional string conversation_key_version,
  102: optional bool should_notify,
  /** milliseconds after which the message vanishes */
  103: optional i64 ttl_msec,
  104: optional i64 delivered_at_msec,
  105: optional bool is_pending_public_key,
  106: optional EventQueuePriority priority,
  107: optional list<AdditionalAction> additional_action_list,
  108: optional FrankingData franking_data,
  109: optional bool is_message_request
} (root = "true")

/** The creation of a group, or the upgrade of a group of the old kind. */
struct GroupCreate {
  1: optional list<string> member_ids,
  2: optional list<string> admin_ids,
  3: optional string title,
  4: optional string avatar_url,
  5: optional string conversation_key_version,
  6: optional bool is_legacy_group_upgrade,
  7: optional i64 ttl_msec
} (file = "GroupEvents")

/** A new title of a group. */
struct GroupTitleChange {
  1: optional string custom_title,
  2: optional string conversation_key_version
}

/** A new picture of a group. */
struct GroupAvatarUrlChange {
  1: optional string custom_avatar_url,
  2: optional string conversation_key_version
}

/** Members made administrators. */
struct GroupAdminAddChange {
  1: optional list<string> admin_ids
}

/** Administrators made ordinary members. */
struct GroupAdminRemoveChange {
  1: optional list<string> admin_ids
}

/** Members removed from a group. */
struct GroupMemberRemoveChange {
  1: optional list<string> member_ids
}

/** A link by which people may join a group. */
struct GroupInviteEnable {
  1: optional i64 expires_at_msec,
  2: optional string invite_url,
  3: optional string affiliate_id
}

/** The removal of a group's invitation link. */
struct GroupInviteDisable {
  1: optional string disabled_by_member_id
}

/** A user's request to join a group. */
struct GroupJoinRequest {
  1: optional string requesting_user_id
}

/** Rejected requests to join a group. */
struct GroupJoinReject {
  1: optional list<string> rejected_user_ids
}

/** The actions that only a group's administrators may take. */
struct GroupAdminSettings {
  1: optional bool edit_group_info,
  2: optional bool edit_message_ttl,
  3: optional bool block_screen_capture,
  4: optional bool add_member,
  5: optional bool send_message,
  6: optional bool start_call
}

/** A change of the actions that only a group's administrators may take. */
struct GroupAdminSettingsChange {
  1: optional bool edit_group_info,
  2: optional bool edit_message_ttl,
  3: optional bool block_screen_capture,
  4: optional bool add_member,
  5: optional bool send_message,
  6: optional bool start_call
}

/** Members added to a group, with the state of the group. */
struct GroupMemberAddChange {
  /** the new members */
  1: optional list<string> member_ids,
  /** the members before the addition */
  2: optional list<string> current_member_ids,
  3: optional list<string> current_admin_ids,
  4: optional string current_title,
  5: optional string current_avatar_url,
  6: optional string conversation_key_version,
  7: optional i64 current_ttl_msec,
  8: optional list<string> current_pending_member_ids,
  9: optional bool screen_capture_blocking_enabled,
  // 10: not known to the SDK
  11: optional GroupInviteEnable group_invite_enable,
  12: optional GroupAdminSettings admin_settings
}

/** One change of a group. */
union GroupChange {
  1: GroupCreate group_create,
  2: GroupTitleChange group_title_change,
  3: GroupAvatarUrlChange group_avatar_change,
  4: GroupAdminAddChange group_admin_add,
  5: GroupMemberAddChange group_member_add,
  6: GroupAdminRemoveChange group_admin_remove,
  7: GroupMemberRemoveChange group_member_remove,
  8: GroupInviteEnable group_invite_enable,
  9: GroupInviteDisable group_invite_disable,
  10: GroupJoinRequest group_join_request,
  11: GroupJoinReject group_join_reject,
  12: GroupAdminSettingsChange group_admin_settings_change
}

/** A change of a group. */
struct GroupChangeEvent {
  1: optional GroupChange group_change,
  2: optional bool for_key_rotation
}

/** A conversation key, wrapped for one participant. */
struct ConversationParticipantKey {
  1: optional string user_id,
  /** base64 */
  2: optional string encrypted_conversation_key,
  3: optional string public_key_version
} (file = "ConversationEvents")

/** A new conversation key, wrapped for each participant. */
struct ConversationKeyChangeEvent {
  1: optional string conversation_key_version,
  2: optional list<ConversationParticipantKey> conversation_participant_keys,
  // 3: retired (an older ratchet tree form)
  4: optional GroupOpData ratchet_tree_change (opaque = "true"),
  5: optional bool for_key_rotation
} (root = "true")

/** A user is typing. */
struct MessageTypingEvent {
  1: optional string conversation_id
}

/** The server refused an event. */
struct MessageFailureEvent {
  1: optional FailureType failure_type,
  2: optional RateLimitTier rate_limit_tier
}

/** Messages deleted. */
struct MessageDeleteEvent {
  1: optional list<string> sequence_ids,
  2: optional DeleteMessageAction delete_message_action
}

/** How much of a conversation is cleared. */
struct ClearConversationOptions {
  1: optional bool clear_all_messages,
  2: optional i64 sort_order_msec
}

/** A conversation deleted. */
struct ConversationDeleteEvent {
  1: optional string conversation_id,
  2: optional ClearConversationOptions clear_conversation_options
}

/** Messages vanish after a time. */
struct MessageDurationChange {
  1: optional i64 ttl_msec,
  2: optional bool apply_to_all_messages
}

/** Messages no longer vanish. */
struct MessageDurationRemove {
  1: optional i64 current_ttl_msec
}

/** Conversations muted. */
struct MuteConversation {
  1: optional list<string> muted_conversation_ids
}

/** Conversations unmuted. */
struct UnmuteConversation {
  1: optional list<string> unmuted_conversation_ids
}

/** Screen captures are reported from now on. */
struct EnableScreenCaptureDetection {
  1: optional string placeholder
}

/** Screen captures are not reported any more. */
struct DisableScreenCaptureDetection {
  1: optional string placeholder
}

/** Screen captures are blocked from now on. */
struct EnableScreenCaptureBlocking {
  1: optional string placeholder
}

/** Screen captures are not blocked any more. */
struct DisableScreenCaptureBlocking {
  1: optional string placeholder
}

/** One change of a conversation's settings. */
union ConversationMetadataChange {
  1: MessageDurationChange message_duration_change,
  2: MessageDurationRemove message_duration_remove,
  3: MuteConversation mute_conversation,
  4: UnmuteConversation unmute_conversation,
  5: EnableScreenCaptureDetection enable_screen_capture_detection,
  6: DisableScreenCaptureDetection disable_screen_capture_detection,
  7: EnableScreenCaptureBlocking enable_screen_capture_blocking,
  8: DisableScreenCaptureBlocking disable_screen_capture_blocking
}

/** A change of a conversation's settings. */
struct ConversationMetadataChangeEvent {
  1: optional ConversationMetadataChange conversation_metadata_change
}

/** A search answer by Grok. */
struct GrokSearchResponseEvent {
  1: optional string search_response_id
}

/** A conversation read, up to an event. */
struct MarkConversationReadEvent {
  1: optional string seen_until_sequence_id,
  2: optional i64 seen_at_millis
  // 3: not known to the SDK (another public client names it is_grok, bool)
}

/** A conversation marked unread, from an event on. */
struct MarkConversationUnreadEvent {
  1: optional string seen_until_sequence_id
}

/** A member's account was deleted. */
struct MemberAccountDeleteEvent {
  1: optional string member_id
}

/** What happened. */
union MessageEventDetail {
  1: MessageCreateEvent messageCreateEvent,
  // 2: UNKNOWN; no public source names it
  3: ConversationKeyChangeEvent conversationKeyChangeEvent,
  4: GroupChangeEvent groupChangeEvent,
  5: MessageFailureEvent messageFailureEvent,
  6: MessageTypingEvent messageTypingEvent,
  7: MessageDeleteEvent messageDeleteEvent,
  8: ConversationDeleteEvent conversationDeleteEvent,
  9: ConversationMetadataChangeEvent conversationMetadataChangeEvent,
  10: GrokSearchResponseEvent grokSearchResponseEvent,
  // 11: retired (a request for encrypted resend: 1 min_sequence_id, 2 max_sequence_id, both string,
  //     according to another public client)
  12: MarkConversationReadEvent markConversationReadEvent,
  13: MarkConversationUnreadEvent markConversationUnreadEvent,
  14: MemberAccountDeleteEvent memberAccountDeleteEvent
} (root = "true", file = "Envelope")

/** A signing key in an event; recipients do not trust it, because it is not signed. */
struct MessageSigningKeyInfo {
  1: optional string member_id,
  2: optional string public_key_version,
  3: optional string signing_public_key
}

/** The sender's signature over the signed text of an event. */
struct MessageEventSignature {
  /** base64, padded or not */
  1: optional string signature,
  2: optional string public_key_version,
  3: optional string signature_version,
  /** not signed; recipients use the registered key instead */
  4: optional string signing_public_key,
  /** not signed; recipients use the registered keys instead */
  5: optional list<MessageSigningKeyInfo> message_signing_key_info_list
} (root = "true")

/** One event of a conversation: who did what, and the signature. */
struct MessageEvent {
  /** the server's number, not signed */
  1: optional string sequence_id,
  /** the sender's id of this event, a UUID */
  2: optional string message_id,
  3: optional string sender_id,
  4: optional string conversation_id,
  5: optional string conversation_token,
  /** decimal milliseconds since 1970 */
  6: optional string created_at_msec,
  7: optional MessageEventDetail detail,
  8: optional MessageEventRelaySource relay_source,
  9: optional MessageEventSignature message_event_signature,
  10: optional string previous_sequence_id,
  11: optional bool is_trusted
} (root = "true")

/** The server asks for events to be fetched. */
struct PullMessagesInstruction {
  1: optional string sequence_start,
  2: optional string sender_id,
  // 3-5: not known to the SDK
  6: optional bool is_batched_pull
} (file = "Instructions")

/** The server keeps the connection open. */
struct KeepAliveInstruction {
}

/** The bounds of a page of fetched events. */
struct PullMessagePageDetails {
  // 1, 2, 5, 6: not known to the SDK
  3: optional string min_sequence_id,
  4: optional string max_sequence_id,
  7: optional bool is_batched_pull
}

/** A fetch of events has ended. */
struct PullMessagesFinishedInstruction {
  1: optional bool finished_pull,
  2: optional string sequence_continue,
  3: optional PullMessagePageDetails pull_message_page_details
}

/** The server asks for the PIN to be entered again. */
struct PinReminderInstruction {
  1: optional bool should_register,
  2: optional bool should_generate,
  3: optional bool is_required
}

/** The server asks for events to be fetched another way. */
struct SwitchToHybridPullInstruction {
  1: optional string requesting_user_agent
}

/** The server asks for a temporary passcode to be shown. */
struct DisplayTemporaryPasscodeInstruction {
  1: optional string token,
  2: optional string latest_public_key_version
}

/** A device's description of itself. */
struct DeviceDescriptor {
  1: optional string device_type,
  2: optional string device_model,
  3: optional string app_version,
  4: optional string app_name
}

/** A step of the enrolment of a device. */
struct DeviceEnrollmentInstruction {
  1: optional string enrollment_id,
  2: optional DeviceEnrollmentStatus status,
  /** with `ACCEPTED` */
  3: optional string enrolled_device_public_key,
  /** with `KEY_EXCHANGED` */
  4: optional string new_device_public_key,
  /** with `KEYS_SENT` */
  5: optional string encrypted_key_material,
  /** with `PENDING_ACCEPTANCE` */
  6: optional string public_key_hash,
  /** superseded by `device_descriptor` */
  7: optional string user_agent,
  8: optional DeviceDescriptor device_descriptor
}

/** What the server asks of a client on the live connection. */
union MessageInstruction {
  1: PullMessagesInstruction pullMessagesInstruction,
  2: KeepAliveInstruction keepAliveInstruction,
  3: PullMessagesFinishedInstruction pullMessagesFinishedInstruction,
  4: PinReminderInstruction pinReminderInstruction,
  5: SwitchToHybridPullInstruction switchToHybridPullInstruction,
  6: DisplayTemporaryPasscodeInstruction displayTemporaryPasscodeInstruction,
  7: DeviceEnrollmentInstruction deviceEnrollmentInstruction
}

/** Several events at once. */
struct BatchedMessageEvents {
  1: optional list<MessageEvent> message_events
}

/** A frame of the live connection. */
union Message {
  1: MessageEvent messageEvent,
  2: MessageInstruction messageInstruction,
  3: BatchedMessageEvents batchedMessageEvents
} (root = "true")


/** How a screen was captured. */
enum ScreenCaptureType {
  SCREENSHOT = 1,
  RECORDING = 2
}

/** Where in X's apps a message was written. */
enum SentFromSurface {
  CONVERSATION_SCREEN_COMPOSER = 1,
  NOTIFICATION_REPLY = 2,
  SHARE_SHEET = 3,
  PAYMENTS_SUPPORT_COMPOSER = 4,
  MESSAGE_FORWARD_SHEET = 5
}

/** The kind of a media file. */
enum MediaType {
  IMAGE = 1,
  GIF = 2,
  VIDEO = 3,
  AUDIO = 4,
  FILE = 5,
  SVG = 6
}

/** A conversation read, up to an event; encrypted form. */
struct MarkConversationRead {
  1: optional string seen_until_sequence_id,
  2: optional i64 seen_at_millis
} (file = "Entries")

/** A conversation marked unread, from an event on; encrypted form. */
struct MarkConversationUnread {
  1: optional string seen_until_sequence_id
}

/** A conversation pinned to the top. */
struct PinConversation {
  1: optional string conversation_id
}

/** A conversation not pinned any more. */
struct UnpinConversation {
  1: optional string conversation_id
}

/** A call that ended. */
struct AVCallEnded {
  1: optional i64 sent_at_millis,
  2: optional i64 duration_seconds,
  3: optional bool is_audio_only,
  // 4: retired
  5: optional string broadcast_id
}

/** A call that was not answered. */
struct AVCallMissed {
  1: optional i64 sent_at_millis,
  2: optional bool is_audio_only
}

/** A call that began. */
struct AVCallStarted {
  1: optional bool is_audio_only,
  // 2: retired
  3: optional string broadcast_id
}

/** A participant captured the screen. */
struct ScreenCaptureDetected {
  1: optional ScreenCaptureType type
}

/** A text not sent yet, for the user's other devices. */
struct DraftMessage {
  1: optional string conversation_id,
  2: optional string draft_text
}

/** A message request accepted. */
struct AcceptMessageRequest {
}

/** A nickname given to a user. */
struct NicknameMessage {
  1: optional i64 user_id,
  2: optional string nickname_text
}

/** A user's keys were marked as compared, or no longer are. */
struct SetVerifiedStatus {
  1: optional i64 user_id,
  2: optional bool verified_status
}

/** A hashtag. */
struct HashtagRichTextContent {
} (file = "RichText")

/** A cashtag. */
struct CashtagRichTextContent {
}

/** A mention of a user. */
struct MentionRichTextContent {
}

/** A link. */
struct UrlRichTextContent {
}

/** An e-mail address. */
struct EmailRichTextContent {
}

/** A postal address. */
struct AddressRichTextContent {
}

/** A telephone number. */
struct PhoneNumberRichTextContent {
}

/** What a stretch of text is; every variant is an empty struct. */
union RichTextContent {
  1: HashtagRichTextContent hashtag,
  2: CashtagRichTextContent cashtag,
  3: MentionRichTextContent mention,
  4: UrlRichTextContent url,
  5: EmailRichTextContent email,
  6: AddressRichTextContent address,
  7: PhoneNumberRichTextContent phoneNumber
}

/** A stretch of text that is a link, a mention and so on. */
struct RichTextEntity {
  1: optional i32 start_index,
  /** the end of the range, exclusive */
  2: optional i32 end_index,
  3: optional RichTextContent content
}

/** The size of a picture in pixels. */
struct MediaDimensions {
  1: optional i64 width,
  2: optional i64 height
} (file = "Attachments")

/** An encrypted media file. */
struct MediaAttachment {
  1: optional string media_hash_key,
  2: optional MediaDimensions dimensions,
  3: optional MediaType type,
  4: optional i64 duration_millis,
  5: optional i64 filesize_bytes,
  6: optional string filename,
  7: optional string attachment_id,
  8: optional string legacy_media_url_https,
  9: optional string legacy_media_preview_url,
  10: optional string grok_tag
}

/** A post of X. */
struct PostAttachment {
  1: optional string rest_id,
  2: optional string post_url,
  3: optional string attachment_id
}

/** A picture in the preview of a link. */
struct UrlAttachmentImage {
  1: optional string media_hash_key,
  2: optional i64 filesize_bytes,
  3: optional string filename,
  4: optional MediaDimensions dimensions
}

/** A link with its preview. */
struct UrlAttachment {
  1: optional string url,
  2: optional UrlAttachmentImage banner_image_media_hash_key,
  3: optional UrlAttachmentImage favicon_image_media_hash_key,
  4: optional string display_title,
  5: optional string attachment_id
}

/** A card of X. */
struct UnifiedCardAttachment {
  1: optional string url,
  2: optional string attachment_id
}

/** A payment. */
struct MoneyAttachment {
  1: optional string fallbackText,
  2: optional binary payload
}

/** A view that X's apps render from a URL. */
struct JetfuelAttachment {
  // 1: retired (a string payload)
  2: optional i32 height,
  3: optional string url,
  4: optional string attachment_id
}

/** One attachment. */
union MessageAttachment {
  1: MediaAttachment media,
  2: PostAttachment post,
  3: UrlAttachment url,
  4: UnifiedCardAttachment unified_card,
  5: MoneyAttachment money,
  6: JetfuelAttachment jetfuel
}

/** The call that a reply answers. */
union ReplyAVCallCard {
  1: AVCallEnded ended,
  2: AVCallMissed missed,
  3: AVCallStarted started
} (file = "MessageContents")

/** The message that a reply answers, as its sender shows it. */
struct ReplyingToPreview {
  1: optional i64 sender_id,
  2: optional string message_text,
  3: optional list<RichTextEntity> entities,
  4: optional list<MessageAttachment> attachments,
  5: optional string sender_display_name,
  6: optional string replying_to_message_sequence_id,
  7: optional string replying_to_message_id,
  /** the event replied to */
  8: optional MessageEvent raw_event_message_create (opaque = "true"),
  /** the edit of that event that is quoted */
  9: optional MessageEvent raw_event_edit_message (opaque = "true"),
  /** the key change events that are needed to decrypt them */
  10: optional list<MessageEvent> raw_event_ckces (opaque = "true"),
  11: optional ReplyAVCallCard av_call_card,
  12: optional string replying_to_attachment_id
}

/** A message forwarded. */
struct ForwardedMessage {
  1: optional string message_text,
  2: optional list<RichTextEntity> entities
}

/** One of the answers offered. */
struct QuickReplyOption {
  1: optional string id,
  2: optional string label,
  3: optional string metadata,
  4: optional string description
}

/** Answers offered to the recipient. */
struct QuickReplyOptionsRequest {
  1: optional string id,
  2: optional list<QuickReplyOption> options
}

/** The answer chosen. */
struct QuickReplyOptionsResponse {
  1: optional string request_id,
  2: optional string metadata,
  3: optional string selected_option_id
}

/** What is offered to the recipient. */
union QuickReplyRequest {
  1: QuickReplyOptionsRequest options
}

/** What the recipient chose. */
union QuickReplyResponse {
  1: QuickReplyOptionsResponse options
}

/** Answers offered, or the one chosen. */
union QuickReply {
  1: QuickReplyRequest request,
  2: QuickReplyResponse response
}

/** A button with a link. */
struct CallToAction {
  1: optional string label,
  2: optional string url
}

/** A text message. */
struct MessageContents {
  1: optional string message_text,
  2: optional list<RichTextEntity> entities,
  3: optional list<MessageAttachment> attachments,
  4: optional ReplyingToPreview replying_to_preview,
  // 5: retired (once held ids of edit events)
  6: optional ForwardedMessage forwarded_message,
  7: optional SentFromSurface sent_from,
  8: optional QuickReply quick_reply,
  9: optional list<CallToAction> ctas,
  10: optional map<string, string> additional_fields
}

/** A reaction to a message. */
struct MessageReactionAdd {
  /** the sequence id of the message reacted to */
  1: optional string message_sequence_id,
  2: optional string emoji,
  3: optional string message_attachment_id
}

/** A reaction taken back. */
struct MessageReactionRemove {
  /** the sequence id of the message reacted to */
  1: optional string message_sequence_id,
  2: optional string emoji,
  3: optional string message_attachment_id
}

/** A new text of a message. */
struct MessageEdit {
  /** the sequence id of the message edited */
  1: optional string message_sequence_id,
  2: optional string updated_text,
  3: optional list<RichTextEntity> entities
}

/** What the decrypted contents of a message are. */
union MessageEntryContents {
  1: MessageContents message,
  2: MessageReactionAdd reaction_add,
  3: MessageReactionRemove reaction_remove,
  4: MessageEdit message_edit,
  5: MarkConversationRead mark_conversation_read,
  6: MarkConversationUnread mark_conversation_unread,
  7: PinConversation pin_conversation,
  8: UnpinConversation unpin_conversation,
  9: ScreenCaptureDetected screen_capture_detected,
  10: AVCallEnded av_call_ended,
  11: AVCallMissed av_call_missed,
  12: DraftMessage draft_message,
  13: AcceptMessageRequest accept_message_request,
  14: NicknameMessage nickname_message,
  15: SetVerifiedStatus set_verified_status,
  16: AVCallStarted av_call_started
}

/** The decrypted contents of a message: the root of what ``MessageCreateEvent/contents`` holds. */
struct MessageEntryHolder {
  1: optional MessageEntryContents contents
} (root = "true")
