-- Documents are stored sealed, and so are forms that wait while somebody proves who they are. A document of before stays
-- readable until `journeys migrate` has sealed it; nothing plain is added any more.

ALTER TABLE documents ADD COLUMN sealed bytea, ALTER COLUMN content DROP NOT NULL;
ALTER TABLE documents ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE documents ADD CONSTRAINT sealed_or_plain CHECK ((sealed IS NULL) = (content IS NOT NULL));
ALTER TABLE documents ADD CONSTRAINT sealed_only CHECK (sealed IS NOT NULL) NOT VALID;
COMMENT ON COLUMN documents.sealed IS 'The bytes, bound to journey and digest; the id of the key in front.';
COMMENT ON COLUMN documents.content IS 'Of before the sealing only.';
ALTER TABLE document_holds ALTER CONSTRAINT document_holds_stream_digest_fkey DEFERRABLE;

-- What a note showed is brought again as a receipt: it stays as long as accounting needs it, so it comes under that key.
CREATE FUNCTION document_for_accounting(p_stream text, p_digest bytea, p_sealed bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SET CONSTRAINTS document_holds_stream_digest_fkey DEFERRED;
    DELETE FROM documents d WHERE d.stream = p_stream AND d.digest = p_digest;
    INSERT INTO documents (stream, digest, sealed) VALUES (p_stream, p_digest, p_sealed);
    SET CONSTRAINTS document_holds_stream_digest_fkey IMMEDIATE;
END
$$;
REVOKE ALL ON FUNCTION document_for_accounting FROM PUBLIC;
GRANT EXECUTE ON FUNCTION document_for_accounting TO journeys_writer;

DELETE FROM kept_forms;
ALTER TABLE kept_forms DROP COLUMN form;
ALTER TABLE kept_forms ADD COLUMN sealed bytea NOT NULL;
COMMENT ON COLUMN kept_forms.sealed IS 'The form, under what only the browser has that left it: neither the database nor its keys open it.';
